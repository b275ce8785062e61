// docs/clients.md, from what the scenarios showed.

import { KINDS, type Kind } from "./client";
import { CONVERSATION, SCENARIOS } from "./list";

const HEAD = `# The two clients

Suda has a client for the browser and one for the terminal (\`suda chat\`). They share the protocol and what they promise, not their code. So one suite of scenarios
runs against both: the page in Chromium, and the real program in a pseudo-terminal, each against the real server. This table is what it showed. The suite
writes it, and fails where it is not what is written here; \`cargo xtask test\` runs it, and
\`npm run e2e -- scenarios -u\` in \`web\`, after \`cargo build -p suda\`, writes it anew.
`;

const FOOT = `✓: played and passed. –: the client cannot do it; the reason stands beside.

The scenarios are in \`web/e2e/scenarios\`. What only one of the clients is about has tests of its own: [testing.md](testing.md) names them.
`;

/** What passed, by the scenario's name. */
export type Passed = ReadonlyMap<string, ReadonlySet<Kind>>;

/** The document. Throws where a scenario that a client plays did not pass: a table with holes is none. */
export function document(passed: Passed): string {
  const cell = (name: string, kind: Kind, lack?: string) => {
    if (lack !== undefined) return `– ${lack}`;
    if (!passed.get(name)?.has(kind)) throw new Error(`“${name}” did not pass in the ${kind}, or was not played`);
    return "✓";
  };
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rows = [...SCENARIOS, { ...CONVERSATION, lacks: undefined }].map(({ name, shows, lacks }) =>
    row([name, shows, ...KINDS.map((kind) => cell(name, kind, lacks?.[kind]))]),
  );
  const table = [row(["scenario", "what is shown", ...KINDS]), "|---|---|---|---|", ...rows].join("\n");
  return `${HEAD}\n${table}\n\n${FOOT}`;
}
