interface Justified {
  readonly why: string;
  /** The page of AWS that parliament's data contradicts. */
  readonly source: string;
  /** When somebody last looked whether it is still so. */
  readonly checked: string;
}

/** An action that parliament's data, of 25 April 2025 in version 1.6.4, is too old to know. */
export interface UnknownAction extends Justified {
  readonly action: string;
}

/** A finding of parliament that is wrong. */
export interface WrongFinding extends Justified {
  readonly issue: string;
  readonly detail: RegExp;
}

export interface Exceptions {
  readonly actions: readonly UnknownAction[];
  readonly findings: readonly WrongFinding[];
}

/** One that no document needs any more fails the run. */
export const EXCEPTIONS: Exceptions = {
  actions: [
    ...["sagemaker:CallMlflowAppApi", "sagemaker:DescribeMlflowApp"].map((action) => ({
      action,
      why: "MLflow Apps are of December 2025.",
      source:
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html",
      checked: "2026-11-23",
    })),
    {
      action: "glue:UpdateJobBookmark",
      why: "A job calls it to save its bookmark and is refused by this name, though AWS's list of actions leaves it out.",
      source: "https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html",
      checked: "2026-11-23",
    },
  ],
  findings: [
    {
      issue: "MISMATCHED_TYPE",
      detail: /^Type mismatch: s3:TlsVersion requires a value of type Numeric but given \['1\.2'\]$/,
      why: "The key is compared with decimals; parliament knows whole numbers only.",
      source: "https://repost.aws/knowledge-center/s3-enforce-modern-tls",
      checked: "2026-11-23",
    },
    {
      issue: "UNKNOWN_CONDITION_FOR_ACTION",
      detail:
        /^Unknown condition s3:TlsVersion for action s3:(InitiateReplication|PutAccessPointPublicAccessBlock)$/,
      why: "A Deny of every action of S3 reaches two that no client calls over the network; it is none the weaker for the rest.",
      source:
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-actions-as-permissions",
      checked: "2026-11-23",
    },
    {
      issue: "RESOURCE_MISMATCH",
      detail:
        /^sagemaker:AddAssociation needs arn:\*:sagemaker:\*:\*:(action|context|experiment|experiment-trial-component)\/\*$/,
      why: "An association has two ends of some kinds; parliament wants all kinds at once.",
      source: "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddAssociation.html",
      checked: "2026-11-23",
    },
    {
      issue: "RESOURCE_MISMATCH",
      detail: /^states:DescribeExecution needs arn:\*:states:\*:\*:express:\*:\*:\*$/,
      why: "Executions are of standard or of express machines; parliament wants both.",
      source: "https://docs.aws.amazon.com/step-functions/latest/dg/concept-create-iam-advanced.html",
      checked: "2026-11-23",
    },
    {
      issue: "RESOURCE_MISMATCH",
      detail:
        /^elasticloadbalancing:Modify(Listener|Rule) needs arn:\*:elasticloadbalancing:\*:\*:listener(-rule)?\/net\//,
      why: "Listeners are of application or of network load balancers; parliament wants both.",
      source:
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html",
      checked: "2026-11-23",
    },
    {
      issue: "UNKNOWN_CONDITION_FOR_ACTION",
      detail: /^Unknown condition kms:ResourceAliases for action kms:\w+$/,
      why: "The key belongs to the resource, a KMS key; parliament looks only at the keys that belong to actions.",
      source:
        "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-resource-aliases",
      checked: "2026-11-23",
    },
  ],
};
