// Prints, as JSON, what cdk-nag objects to in a template and its Metadata does not explain:
//   node ask.mjs template.json
// Each resource's Metadata.cdk_nag.rules_to_suppress names the rules that do not fit it, with reasons.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

// The packages lie outside the sources: NAG_PACKAGES says where.
const load = createRequire(join(resolve(process.env.NAG_PACKAGES), "package.json"));
const { App, Stack } = load("aws-cdk-lib");
const { CfnInclude } = load("aws-cdk-lib/cloudformation-include");
const { AwsSolutionsChecks, ServerlessChecks } = load("cdk-nag");

const file = process.argv[2];
const resources = JSON.parse(readFileSync(file, "utf8")).Resources;
const stack = new Stack(new App({ analyticsReporting: false }), "Slotkeeper");
const included = new CfnInclude(stack, "Template", { templateFile: file });
const prefix = "Slotkeeper/Template/";

const excused = new Map(); // "id rule" -> whether cdk-nag would have objected
for (const [id, resource] of Object.entries(resources)) {
  for (const each of resource.Metadata?.cdk_nag?.rules_to_suppress ?? []) {
    if (!each.reason) throw new Error(`${id}: ${each.id} is excused without a reason`);
    excused.set(`${id} ${each.id}`, false);
  }
}

const objections = [];
for (const pack of [new AwsSolutionsChecks(stack, { verbose: true }), new ServerlessChecks(stack, { verbose: true })]) {
  for (const found of pack.validateScope(stack).violations) {
    for (const where of found.violatingResources) {
      const id = where.constructPath.slice(prefix.length);
      const key = `${id} ${found.ruleName}`;
      if (excused.has(key)) excused.set(key, true);
      else objections.push({ resource: id, rule: found.ruleName, why: found.description });
    }
  }
}
const needless = [...excused].filter(([, met]) => !met).map(([key]) => key);
console.log(JSON.stringify({ resources: Object.keys(resources).length, excused: excused.size, objections, needless }, null, 1));
