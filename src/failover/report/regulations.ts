/**
 * What failover evidence has to say to a regulation: clauses by number, in our words, each with the requirements of AG-403
 * whose evidence speaks of it, and plainly what that evidence does not show. Clause numbers are of the texts in force in
 * 2026; whether a regulation applies, and whether the evidence is enough, is for its readers and their counsel.
 */
import type { RequirementId } from "../evidence/index.ts";
import type { Profile } from "../manifest/manifest.ts";

export interface RegulationLine {
  readonly clause: string;
  /** What the clause is about, in our words. */
  readonly about: string;
  /** Whose evidence speaks of it; empty: none of ours does, and that is said. */
  readonly requirements: readonly RequirementId[];
  /** As components of a manifest name it under `controls`. */
  readonly control: string;
  readonly notCovered: string;
}

export interface Regulation {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly RegulationLine[];
  /** Only where the manifest has this profile. */
  readonly profile?: Profile;
}

const line = (
  clause: string,
  control: string,
  about: string,
  requirements: readonly RequirementId[],
  notCovered: string,
): RegulationLine => ({ clause, control, about, requirements, notCovered });

export const regulations: readonly Regulation[] = [
  {
    id: "eu-ai-act",
    title: "EU AI Act, Regulation (EU) 2024/1689",
    lines: [
      line(
        "Article 9",
        "EU-AI-ACT:9",
        "A risk management system that runs through the whole life of the system, with tests that suit its purpose",
        ["4.1", "4.3", "4.7"],
        "Risks of the model itself, and of its intended purpose, are not looked at.",
      ),
      line(
        "Article 15(4)",
        "EU-AI-ACT:15",
        "Robustness against errors, faults and inconsistencies, by redundancy and fail-safe plans among others",
        ["4.2", "4.3", "4.8", "4.9", "4.10"],
        "Accuracy, and attacks on training data and models, are not looked at.",
      ),
    ],
  },
  {
    id: "sox-404",
    title: "Sarbanes-Oxley Act, section 404",
    lines: [
      line(
        "Section 404(a), 15 U.S.C. 7262(a)",
        "SOX:404",
        "Management assesses whether its internal control over financial reporting works",
        ["4.1", "4.3", "4.4", "4.6"],
        "Only controls on actions of agents, and only around failovers; not the assessment itself.",
      ),
      line(
        "Section 404(b), 15 U.S.C. 7262(b)",
        "SOX:404",
        "An independent auditor attests to that assessment",
        [],
        "An attestation cannot come from the system that is attested. This pack can be given to the auditor.",
      ),
    ],
  },
  {
    id: "fca-sysc-15a",
    title: "FCA Handbook, SYSC 15A, operational resilience",
    lines: [
      line(
        "SYSC 15A.6.1R(1)",
        "SYSC:15A",
        "The important business services, and why they are important",
        [],
        "Which services are important is a decision of the firm.",
      ),
      line(
        "SYSC 15A.6.1R(2)",
        "SYSC:15A",
        "Impact tolerances: the objectives of the manifest beside what was measured",
        ["4.1", "4.9"],
        "Why the tolerances are at this level is for the firm to justify.",
      ),
      line(
        "SYSC 15A.6.1R(3)",
        "SYSC:15A",
        "Mapping of what a service needs: the components of the manifest, and what they depend on",
        ["4.1", "4.8"],
        "People, processes and facilities are not in the manifest.",
      ),
      line(
        "SYSC 15A.6.1R(4)",
        "SYSC:15A",
        "The testing plan: the period of drills, and their scenarios",
        ["4.7"],
        "Why this plan was chosen is for the firm to justify.",
      ),
      line(
        "SYSC 15A.6.1R(5)",
        "SYSC:15A",
        "The scenario tests that were carried out, with their assumptions",
        ["4.2", "4.3", "4.4", "4.5", "4.7"],
        "Only failovers and the failures that drills simulate; not every severe but plausible disruption.",
      ),
      line(
        "SYSC 15A.6.1R(6)",
        "SYSC:15A",
        "Lessons learned",
        [],
        "Drills and records show what happened; the lessons are people's.",
      ),
      line(
        "SYSC 15A.6.1R(7)",
        "SYSC:15A",
        "Vulnerabilities, and what is done about them by when: the plan of action",
        ["4.3", "4.7", "4.8", "4.10"],
        "Only weaknesses that records, drills and parity show.",
      ),
      line(
        "SYSC 15A.6.1R(8)",
        "SYSC:15A",
        "The communication strategy",
        [],
        "Nothing here speaks of it.",
      ),
      line(
        "SYSC 15A.6.2R",
        "SYSC:15A",
        "Each version of the record is kept for at least six years",
        ["4.6"],
        "The retention rules say how long; whether the copies are kept is for whoever keeps them.",
      ),
    ],
  },
  {
    id: "nist-ai-rmf",
    title: "NIST AI Risk Management Framework 1.0",
    lines: [
      line(
        "GOVERN 1.1",
        "NIST-AI-RMF:GOVERN-1.1",
        "Legal and regulatory requirements are understood, managed and documented",
        ["4.1", "4.5"],
        "Only jurisdiction and residency of data; not other law.",
      ),
      line(
        "MANAGE 2.4",
        "NIST-AI-RMF:MANAGE-2.4",
        "Mechanisms to supersede, disengage or deactivate a system, applied, with assigned responsibilities",
        ["4.2", "4.3", "4.7"],
        "Whether outcomes agree with the intended use is not judged here.",
      ),
    ],
  },
  {
    id: "iso-42001",
    title: "ISO/IEC 42001:2023",
    lines: [
      line(
        "Clause 6.1",
        "ISO-42001:6.1",
        "Actions that address risks and opportunities, and an evaluation of their effect",
        ["4.1", "4.3", "4.7"],
        "The risk criteria and the risk assessment of the organisation.",
      ),
      line(
        "Clause 8.4",
        "ISO-42001:8.4",
        "Impact assessments at planned intervals and after changes",
        ["4.6", "4.7", "4.8"],
        "The impact on people and society; evidence here only shows how the controls behaved.",
      ),
    ],
  },
  {
    id: "dora",
    title: "DORA, Regulation (EU) 2022/2554",
    lines: [
      line(
        "Article 11(2)",
        "DORA:11",
        "Arrangements that keep critical functions going, contain damage, and bring operations back",
        ["4.2", "4.3", "4.9", "4.10"],
        "Business impact analysis, crisis communication, and functions without agents.",
      ),
      line(
        "Article 11(6)",
        "DORA:11",
        "Plans are tested at least yearly and after substantive changes, switch-over to redundant capacity included",
        ["4.2", "4.3", "4.7"],
        "Scenarios of cyber-attack, and tests of crisis communication.",
      ),
      line(
        "Article 11(8)",
        "DORA:11",
        "Records of what was done before and during a disruption are readily at hand",
        ["4.4", "4.6"],
        "Only failovers and the actions of agents.",
      ),
    ],
  },
  {
    id: "gdpr-44",
    title: "GDPR, Regulation (EU) 2016/679, Article 44",
    lines: [
      line(
        "Article 44",
        "GDPR:44",
        "No transfer to a third country that does not satisfy the chapter on transfers",
        ["4.5"],
        "Whether a transfer mechanism is valid in law; only that none was used which the manifest does not approve.",
      ),
    ],
  },
  {
    id: "hipaa",
    title: "HIPAA Security Rule, 45 CFR Part 164, Subpart C",
    lines: [
      line(
        "164.308(a)(7)(ii)(C)",
        "HIPAA:164.308",
        "Critical processes go on, and stay protected, in an emergency",
        ["4.2", "4.3", "4.9", "4.10"],
        "Processes without agents.",
      ),
      line(
        "164.308(a)(7)(ii)(D)",
        "HIPAA:164.308",
        "Contingency plans are tested and revised periodically",
        ["4.7"],
        "The revision of the plan is people's.",
      ),
      line(
        "164.312(b)",
        "HIPAA:164.312",
        "What happens in systems with health data is recorded and examined",
        ["4.4", "4.6"],
        "Only actions of agents through the gateway.",
      ),
      line(
        "164.312(c)(1)",
        "HIPAA:164.312",
        "Health data are protected from improper alteration or destruction",
        ["4.4"],
        "Only the record of actions, and acknowledged writes across a failover.",
      ),
    ],
  },
  {
    id: "iec-61508",
    title: "IEC 61508, functional safety",
    profile: "critical_infrastructure",
    lines: [
      line(
        "Part 1, overall safety validation",
        "IEC:61508",
        "What protects is shown to work, at least as reliably as the function that it protects",
        ["4.2", "4.3", "4.7", "4.10"],
        "Safety integrity levels, failure rates of hardware, and certification of this software. It is not a certified safety function.",
      ),
    ],
  },
];
