/** Where the regions of large providers lie, as their documentation says. Others are the operator's to say. */
const jurisdictions: Readonly<Record<string, string>> = {
  ...{ "eu-central-1": "DE", "eu-central-2": "CH", "eu-west-1": "IE", "eu-west-2": "GB" },
  ...{ "eu-west-3": "FR", "eu-north-1": "SE", "eu-south-1": "IT", "eu-south-2": "ES" },
  ...{ "us-east-1": "US-VA", "us-east-2": "US-OH", "us-west-1": "US-CA", "us-west-2": "US-OR" },
  ...{
    "ca-central-1": "CA",
    "ap-northeast-1": "JP",
    "ap-southeast-1": "SG",
    "ap-southeast-2": "AU",
  },
  ...{ "europe-west1": "BE", "europe-west2": "GB", "europe-west3": "DE", "europe-west4": "NL" },
  ...{ "europe-west6": "CH", "europe-west9": "FR", "europe-north1": "FI", "us-east1": "US-SC" },
  ...{ "us-east4": "US-VA", "us-central1": "US-IA", "us-west1": "US-OR" },
  ...{ germanywestcentral: "DE", westeurope: "NL", northeurope: "IE", francecentral: "FR" },
  ...{
    swedencentral: "SE",
    switzerlandnorth: "CH",
    uksouth: "GB",
    eastus: "US-VA",
    westus2: "US-WA",
  },
};

const european = ["BE", "DE", "ES", "FI", "FR", "IE", "IT", "NL", "SE"];

/** The members of a site that a region tells: nothing of one that is not known. */
export function siteOfRegion(region: string): Readonly<Record<string, string | readonly string[]>> {
  const jurisdiction = jurisdictions[region];
  if (jurisdiction === undefined) return {};
  return { jurisdiction, blocs: european.includes(jurisdiction) ? ["EU", "EEA"] : [] };
}
