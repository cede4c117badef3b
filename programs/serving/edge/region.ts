/** Where CloudFront takes firewalls, certificates and log deliveries from. */
export const EDGE_REGION = "us-east-1";
