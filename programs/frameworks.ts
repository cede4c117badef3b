import type { DataClassification, Framework } from "./spec.ts";

/** What every pipeline does about its risks; the compliance report tells of each how it stands. */
export const CONTROLS = {
  encryptionAtRest: "Encryption at rest with customer keys",
  encryptionInTransit: "TLS 1.2 or newer everywhere",
  accessAuditing: "Every access is recorded and kept",
  dataLineage: "Where data and models come from",
  modelVersioning: "Models are versioned, signed and approved",
  changeManagement: "Changes are previewed, approved and recorded",
  leastPrivilege: "Every component may do what it needs and no more",
  dataRetention: "Data is kept as long as needed and can be erased",
  backupAndRecovery: "Backups and replicas, and a plan to use them",
  incidentResponse: "Incidents are noticed, told and answered",
  modelMonitoring: "Models and their data are watched",
} as const;

export type Control = keyof typeof CONTROLS;

export interface Clause {
  /** In the framework's own numbering. */
  readonly id: string;
  readonly asks: string;
  readonly controls: readonly Control[];
}

export interface FrameworkRules {
  readonly title: string;
  readonly source: string;
  readonly clauses: readonly Clause[];
  /** What the framework demands of a spec beyond what every pipeline has; each names the clause that says so. */
  readonly spec: {
    readonly leastClassification?: { readonly level: DataClassification; readonly clause: string };
    /** Somebody must be told of incidents. */
    readonly alerts?: { readonly clause: string };
    readonly logRetentionDays?: { readonly least: number; readonly clause: string };
    /** Backups and replicas, which a replica region brings. */
    readonly recovery?: { readonly clause: string };
  };
}

const GDPR: FrameworkRules = {
  title: "General Data Protection Regulation (EU) 2016/679",
  source: "https://eur-lex.europa.eu/eli/reg/2016/679/oj",
  clauses: [
    {
      id: "Art. 5(1)(e)",
      asks: "Personal data is kept no longer than its purpose needs",
      controls: ["dataRetention"],
    },
    {
      id: "Art. 5(2)",
      asks: "The controller can demonstrate compliance",
      controls: ["accessAuditing", "dataLineage"],
    },
    { id: "Art. 17", asks: "Personal data is erased on request", controls: ["dataRetention", "dataLineage"] },
    {
      id: "Art. 22",
      asks: "Automated decisions are safeguarded",
      controls: ["modelMonitoring", "modelVersioning"],
    },
    {
      id: "Art. 25",
      asks: "Data protection by design and by default",
      controls: ["leastPrivilege", "encryptionAtRest"],
    },
    {
      id: "Art. 32",
      asks: "Encryption, confidentiality, resilience, restoration, and regular testing",
      controls: ["encryptionAtRest", "encryptionInTransit", "backupAndRecovery", "leastPrivilege"],
    },
    {
      id: "Art. 33",
      asks: "A breach is notified within 72 hours",
      controls: ["incidentResponse", "accessAuditing"],
    },
  ],
  // No article gives a period in days: how long is long enough is the controller's to say, in `dataset.retention`.
  spec: {
    leastClassification: { level: "internal", clause: "Art. 32" },
    alerts: { clause: "Art. 33" },
  },
};

const HIPAA: FrameworkRules = {
  title: "HIPAA Security Rule, 45 CFR Part 164 Subpart C",
  source: "https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C",
  clauses: [
    {
      id: "§ 164.308(a)(4)",
      asks: "Access to health information is authorised",
      controls: ["leastPrivilege"],
    },
    {
      id: "§ 164.308(a)(6)",
      asks: "Security incidents are identified and answered",
      controls: ["incidentResponse"],
    },
    {
      id: "§ 164.308(a)(7)",
      asks: "Contingency plan: retrievable exact copies and a way to restore what was lost",
      controls: ["backupAndRecovery"],
    },
    {
      id: "§ 164.308(a)(8)",
      asks: "Periodic evaluation after changes",
      controls: ["changeManagement", "modelMonitoring"],
    },
    {
      id: "§ 164.312(a)",
      asks: "Access control, encryption and decryption",
      controls: ["leastPrivilege", "encryptionAtRest"],
    },
    { id: "§ 164.312(b)", asks: "Activity is recorded and examined", controls: ["accessAuditing"] },
    { id: "§ 164.312(c)", asks: "Integrity", controls: ["dataLineage", "modelVersioning"] },
    { id: "§ 164.312(e)", asks: "Transmission security", controls: ["encryptionInTransit"] },
    {
      id: "§ 164.316(b)(2)",
      // Of policies, procedures and records of actions: the account's audit bucket, which keeps seven years. Not of log groups.
      asks: "Documentation is kept for six years",
      controls: ["accessAuditing", "changeManagement"],
    },
  ],
  spec: {
    leastClassification: { level: "confidential", clause: "§ 164.312(a)" },
    alerts: { clause: "§ 164.308(a)(6)" },
    recovery: { clause: "§ 164.308(a)(7)" },
  },
};

const SOC2: FrameworkRules = {
  title: "SOC 2, AICPA Trust Services Criteria (2017, points of focus of 2022)",
  source:
    "https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022",
  clauses: [
    { id: "CC6.1", asks: "Logical access is restricted", controls: ["leastPrivilege", "encryptionAtRest"] },
    { id: "CC6.7", asks: "Information is protected in transmission", controls: ["encryptionInTransit"] },
    { id: "CC7.2", asks: "Anomalies are monitored", controls: ["accessAuditing", "modelMonitoring"] },
    { id: "CC7.4", asks: "Security incidents are responded to", controls: ["incidentResponse"] },
    {
      id: "CC8.1",
      asks: "Changes are authorised, tested and approved",
      controls: ["changeManagement", "modelVersioning", "dataLineage"],
    },
    { id: "A1.2", asks: "Backup and recovery infrastructure", controls: ["backupAndRecovery"] },
    { id: "C1.2", asks: "Confidential information is disposed of", controls: ["dataRetention"] },
  ],
  spec: { alerts: { clause: "CC7.4" } },
};

const PCI_DSS: FrameworkRules = {
  title: "PCI DSS 4.0.1",
  source: "https://www.pcisecuritystandards.org/document_library/?category=pcidss",
  clauses: [
    { id: "3.2.1", asks: "Stored account data is kept to a minimum", controls: ["dataRetention"] },
    { id: "3.5.1", asks: "Stored account numbers are unreadable", controls: ["encryptionAtRest"] },
    { id: "4.2.1", asks: "Strong cryptography in transmission", controls: ["encryptionInTransit"] },
    {
      id: "6.5.1",
      asks: "Changes follow a procedure with approval and a way back",
      controls: ["changeManagement", "modelVersioning", "dataLineage"],
    },
    { id: "7.2.1", asks: "Access by need and least privilege", controls: ["leastPrivilege"] },
    { id: "10.2.1", asks: "Audit logs are active", controls: ["accessAuditing"] },
    {
      id: "10.5.1",
      asks: "Audit logs are kept for twelve months, three of them at hand",
      controls: ["accessAuditing"],
    },
    {
      id: "11.5.2",
      asks: "Unauthorised changes are detected",
      controls: ["modelMonitoring", "incidentResponse"],
    },
    {
      id: "12.10.1",
      asks: "An incident-response plan, with recovery and backups",
      controls: ["incidentResponse", "backupAndRecovery"],
    },
  ],
  spec: {
    leastClassification: { level: "confidential", clause: "3.5.1" },
    alerts: { clause: "12.10.1" },
    logRetentionDays: { least: 365, clause: "10.5.1" },
    recovery: { clause: "12.10.1" },
  },
};

/** The compliance frameworks that a spec can choose, what each asks, and which of the pipeline's controls answers. */
export const FRAMEWORK_RULES: Readonly<Record<Framework, FrameworkRules>> = {
  gdpr: GDPR,
  hipaa: HIPAA,
  soc2: SOC2,
  "pci-dss": PCI_DSS,
};
