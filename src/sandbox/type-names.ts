/** `aws:s3/bucketPolicy:BucketPolicy` → `S3 Bucket Policy`, as the real provider's errors name types. */
export function typeTitle(token: string): string {
  const [, module = "", className = ""] = token.split(":");
  const service = module.split("/")[0] ?? "";
  return `${serviceTitles[service] ?? service.toUpperCase()} ${className.replace(/([a-z0-9])([A-Z])/g, "$1 $2")}`;
}

const serviceTitles: Readonly<Record<string, string>> = {
  accessanalyzer: "IAM Access Analyzer",
  apigateway: "API Gateway",
  apigatewayv2: "API Gateway v2",
  appautoscaling: "Application Auto Scaling",
  athena: "Athena",
  backup: "Backup",
  budgets: "Budgets",
  cfg: "ConfigService",
  cloudfront: "CloudFront",
  cloudtrail: "CloudTrail",
  cloudwatch: "CloudWatch",
  codebuild: "CodeBuild",
  codedeploy: "CodeDeploy",
  codepipeline: "CodePipeline",
  glue: "Glue",
  guardduty: "GuardDuty",
  lakeformation: "Lake Formation",
  lambda: "Lambda",
  lb: "ELBv2",
  organizations: "Organizations",
  sagemaker: "SageMaker AI",
  scheduler: "EventBridge Scheduler",
  secretsmanager: "Secrets Manager",
  securityhub: "Security Hub",
  signer: "Signer",
  vpc: "VPC",
  wafv2: "WAFv2",
  xray: "X-Ray",
};

// Codes that aren't simply "<Type>AlreadyExists".
const takenCodes: Readonly<Record<string, string>> = {
  "cfg/recorder": "MaxNumberOfConfigurationRecordersExceededException",
  "cfg/deliveryChannel": "MaxNumberOfDeliveryChannelsExceededException",
  "cloudtrail/trail": "TrailAlreadyExistsException",
  "cloudwatch/logGroup": "ResourceAlreadyExistsException",
  "ec2/internetGateway": "Resource.AlreadyAssociated",
  "ec2/route": "RouteAlreadyExists",
  "ec2/routeTableAssociation": "Resource.AlreadyAssociated",
  "ec2/securityGroup": "InvalidGroup.Duplicate",
  "ec2/subnet": "InvalidSubnet.Conflict",
  "ecr/repository": "RepositoryAlreadyExistsException",
  "guardduty/detector": "BadRequestException",
  "iam/policy": "EntityAlreadyExists",
  "iam/role": "EntityAlreadyExists",
  "kms/alias": "AlreadyExistsException",
  "lambda/function": "ResourceConflictException",
  "lambda/permission": "ResourceConflictException",
  "lb/listener": "DuplicateListener",
  "lb/listenerRule": "PriorityInUse",
  "lb/loadBalancer": "DuplicateLoadBalancerName",
  "lb/targetGroup": "DuplicateTargetGroupName",
  "s3/bucket": "BucketAlreadyOwnedByYou",
  "secretsmanager/secret": "ResourceExistsException",
  "securityhub/account": "ResourceConflictException",
  "sqs/queue": "QueueNameExists",
  "ssm/parameter": "ParameterAlreadyExists",
  "vpc/securityGroupEgressRule": "InvalidPermission.Duplicate",
  "vpc/securityGroupIngressRule": "InvalidPermission.Duplicate",
  "wafv2/webAcl": "WAFDuplicateItemException",
};

const takenCodeByService: Readonly<Record<string, string>> = {
  athena: "InvalidRequestException",
  backup: "AlreadyExistsException",
  budgets: "DuplicateRecordException",
  glue: "AlreadyExistsException",
  sagemaker: "ValidationException",
  scheduler: "ConflictException",
};

export function takenCode(token: string): string {
  const kind = token.split(":")[1] ?? "";
  return takenCodes[kind] ?? takenCodeByService[kind.split("/")[0] ?? ""] ?? "ResourceAlreadyExistsException";
}

const missingCodes: Readonly<Record<string, string>> = {
  "aws:ec2/securityGroup:SecurityGroup": "InvalidGroup.NotFound",
  "aws:ec2/subnet:Subnet": "InvalidSubnetID.NotFound",
  "aws:ec2/vpc:Vpc": "InvalidVpcID.NotFound",
  "aws:ec2/routeTable:RouteTable": "InvalidRouteTableID.NotFound",
  "aws:ec2/natGateway:NatGateway": "NatGatewayNotFound",
  "aws:ec2/internetGateway:InternetGateway": "InvalidInternetGatewayID.NotFound",
  "aws:ec2/eip:Eip": "InvalidAllocationID.NotFound",
  "aws:iam/role:Role": "NoSuchEntity",
  "aws:iam/policy:Policy": "NoSuchEntity",
  "aws:kms/key:Key": "NotFoundException",
  "aws:s3/bucket:Bucket": "NoSuchBucket",
  "aws:sqs/queue:Queue": "AWS.SimpleQueueService.NonExistentQueue",
  "aws:sns/topic:Topic": "NotFound",
};

/** The code with which AWS answers a reference to something of this type that doesn't exist. */
export function missingCode(targetToken: string | undefined): string {
  return missingCodes[targetToken ?? ""] ?? "ResourceNotFoundException";
}
