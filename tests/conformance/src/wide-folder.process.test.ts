import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { signIn, type EdgeClient } from "./edge-client.ts";
import { startLocalCluster } from "./local-cluster.ts";
import { readMetric } from "./read-metric.ts";
import { waitFor } from "./wait-for.ts";

type Ports = Readonly<Record<string, number>>;

const masters = ["master-1", "master-2", "master-3"];

async function fill(client: EdgeClient, first: number, end: number): Promise<void> {
  const numbers = Array.from({ length: end - first }, (_, index) => first + index);
  await Promise.all(
    [0, 1, 2, 3].map(async (lane) => {
      for (const number of numbers.filter((each) => each % 4 === lane)) {
        const requestId = randomBytes(16).toString("hex");
        await client.drive.createFolder({ requestId, name: `folder ${number}` });
      }
    }),
  );
}

/** Page by page, behind the cursor. */
async function listAll(client: EdgeClient): Promise<readonly string[]> {
  const names: string[] = [];
  let cursor: Uint8Array = new Uint8Array();
  do {
    const page = await client.drive.listFolder({ limit: 50, cursor });
    names.push(...page.entries.map(({ name }) => name));
    cursor = page.cursor;
  } while (cursor.length > 0);
  return names;
}

it("a folder of hundreds is listed whole by masters that were killed and read its order from their disks, and their tables agree", async () => {
  const cluster = await startLocalCluster();
  try {
    const client = await signIn(cluster.origin);
    await fill(client, 0, 300);
    await cluster.killEverything();
  } finally {
    await cluster.stop();
  }
  const again = await startLocalCluster({ dataPath: cluster.dataPath, port: cluster.port });
  try {
    const client = await signIn(again.origin);
    await fill(client, 300, 500);
    const expected = Array.from({ length: 500 }, (_, number) => `folder ${number}`);
    expect(await listAll(client)).toEqual(expected);
    const middle = await client.drive.listFolder({ limit: 3, offset: 431 });
    expect([middle.entries.map(({ name }) => name), middle.totalCount]).toEqual([expected.slice(431, 434), 500]);
    const ports = JSON.parse(await readFile(path.join(again.dataPath, "run", "ports.json"), "utf8")) as Ports;
    for (const name of masters) {
      const url = `http://127.0.0.1:${ports[`${name}-health`]}/metrics`;
      const agreed = (): Promise<number> => readMetric(url, "holdfast_master_agreed_index");
      // Compared are multiples of 64; the last of them may not be over yet.
      await waitFor(`${name} to agree with a majority`, async () => (await agreed()) >= Number(middle.index) - 128);
      expect(await readFile(path.join(again.dataPath, "run", `${name}.log`), "utf8")).not.toContain("master.state_d");
    }
  } finally {
    await again.destroy();
  }
});
