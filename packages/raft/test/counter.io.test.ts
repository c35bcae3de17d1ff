import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { addAndRead, startMember } from "./counter.ts";
import { freePort } from "./free-port.ts";

type Member = Awaited<ReturnType<typeof startMember>>;

function untilReady(members: readonly Member[]): Promise<Member> {
  return new Promise((resolve) => {
    for (const member of members) {
      member.node.subscribe((event) => {
        if (event.kind === "readyToLead") resolve(member);
      });
      if (member.node.status().isReadyLeader) resolve(member);
    }
  });
}

it("counts on three members, goes on after the leader stops, and remembers over a restart", async () => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-counter-"));
  const addresses = await Promise.all([1, 2, 3].map(async () => `127.0.0.1:${await freePort()}`));
  const start = (id: number): Promise<Member> => startMember(id, addresses, join(directory, String(id)));
  const members = await Promise.all([1, 2, 3].map(start));
  const leader = await untilReady(members);
  expect(await addAndRead(leader, 40)).toBe(40);
  expect(await addAndRead(leader, 2)).toBe(42);

  await leader.stop();
  const rest = members.filter((member) => member !== leader);
  const next = await untilReady(rest);
  expect(await addAndRead(next, 1)).toBe(43);

  await Promise.all(rest.map((member) => member.stop()));
  const again = await Promise.all([1, 2, 3].map(start));
  expect(await addAndRead(await untilReady(again), 7)).toBe(50);
  await Promise.all(again.map((member) => member.stop()));
  await rm(directory, { recursive: true });
});

it("is the example of the README, word for word", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = await readFile(new URL("counter.ts", import.meta.url), "utf8");
  expect(/```ts\n([\s\S]*?)```/.exec(readme)?.[1]).toBe(example);
});
