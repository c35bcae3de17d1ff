/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { CopyChange, MachineState, Recording } from "../run/recording.ts";

// Runs in the page, by itself: `view-page.ts` strips its types and puts it between the script tags.

/** The recording that the page was made with. */
const recording = JSON.parse(document.getElementById("recording")?.textContent ?? "{}") as Recording;
const laneHeight = 22;
const nameWidth = 84;
const chartWidth = 1000;
let nowMs = 0;
let playing: ReturnType<typeof setInterval> | undefined;

const at = (ms: number): number => nameWidth + (ms / recording.endMs) * (chartWidth - nameWidth);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found;
};
const escapeText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

function bar(
  lane: number,
  span: { from: number; to: number },
  look: { fill: string; inset?: number; title: string },
): string {
  const inset = look.inset ?? 4;
  const width = Math.max(1.5, at(span.to) - at(span.from));
  return `<rect x="${at(span.from).toFixed(1)}" y="${lane * laneHeight + inset}" width="${width.toFixed(1)}" height="${laneHeight - 2 * inset}" rx="2" fill="${look.fill}"><title>${escapeText(look.title)}</title></rect>`;
}

function colourOf({ phase, role }: MachineState): string {
  if (phase === "down") return "none";
  if (phase === "paused") return "var(--wait)";
  if (phase === "starting") return "var(--line)";
  return role === "leader" ? "var(--lead)" : "var(--good)";
}

function drawTimeline(): void {
  const people = [...new Set(recording.steps.map((step) => step.who))];
  const lanes = [...recording.machines, ...people];
  const parts: string[] = [];
  for (const [lane, name] of lanes.entries()) {
    parts.push(
      `<rect x="${nameWidth}" y="${lane * laneHeight + 1}" width="${chartWidth - nameWidth}" height="${laneHeight - 2}" fill="var(--lane)"/>`,
    );
    parts.push(
      `<text class="name" x="0" y="${lane * laneHeight + 15}">${escapeText(people.includes(name) ? `client ${name}` : name)}</text>`,
    );
    const states = recording.states.filter((state) => state.machine === name);
    for (const [index, { atMs, state }] of states.entries()) {
      const to = states[index + 1]?.atMs ?? recording.endMs;
      const title = `${name}: ${state.phase}${state.role === "" ? "" : `, ${state.role} in term ${state.term}`}`;
      parts.push(bar(lane, { from: atMs, to }, { fill: colourOf(state), inset: 7, title }));
    }
    for (const fault of recording.faults) {
      if (!fault.machines.includes(name)) continue;
      const to = fault.toMs ?? recording.endMs;
      parts.push(bar(lane, { from: fault.fromMs, to }, { fill: "var(--fault)", inset: 1, title: fault.what }));
      parts.push(
        `<rect x="${at(fault.fromMs).toFixed(1)}" y="${lane * laneHeight + 1}" width="1.5" height="${laneHeight - 2}" fill="var(--fault-edge)"/>`,
      );
    }
    for (const step of recording.steps) {
      if (step.who !== name) continue;
      const isDone = step.outcome === "done";
      const fill = isDone ? "var(--step)" : step.outcome === "refused" ? "var(--wait)" : "var(--bad)";
      parts.push(
        bar(
          lane,
          { from: step.fromMs, to: step.toMs ?? recording.endMs },
          { fill, inset: 6, title: `${step.what}: ${step.outcome}` },
        ),
      );
    }
  }
  const height = lanes.length * laneHeight;
  for (let tick = 0; tick <= 8; tick++) {
    const ms = (recording.endMs * tick) / 8;
    const anchor = tick === 8 ? "end" : tick === 0 ? "start" : "middle";
    parts.push(`<text x="${at(ms)}" y="${height + 14}" text-anchor="${anchor}">${(ms / 1000).toFixed(1)} s</text>`);
  }
  for (const event of recording.events)
    if (event.kind === "violation")
      parts.push(
        `<line x1="${at(event.atMs)}" x2="${at(event.atMs)}" y1="0" y2="${height}" stroke="var(--bad)" stroke-dasharray="3 3"/>`,
      );
  parts.push(`<line id="cursor" y1="-4" y2="${height}" stroke="var(--text)" stroke-width="1.5"/>`);
  const chart = byId("timeline");
  chart.setAttribute("viewBox", `0 -6 ${chartWidth} ${height + 26}`);
  chart.innerHTML = parts.join("");
  chart.addEventListener("click", (click) => {
    const box = chart.getBoundingClientRect();
    const x = ((click.clientX - box.left) / box.width) * chartWidth;
    show(((x - nameWidth) / (chartWidth - nameWidth)) * recording.endMs);
  });
}

/** Chunk to node to what its copy is. */
function copiesAt(ms: number): {
  readonly chunks: Map<number, Map<string, CopyChange>>;
  readonly nodes: Map<string, string>;
} {
  const chunks = new Map<number, Map<string, CopyChange>>();
  const nodes = new Map<string, string>();
  for (const { atMs, chunkId, machine, change } of recording.copies) {
    if (atMs > ms) break;
    if (change === "joined") {
      const [node = "", name = ""] = machine.split("=");
      nodes.set(node, name);
      continue;
    }
    const name = nodes.get(machine) ?? machine;
    const copies = chunks.get(chunkId) ?? new Map<string, CopyChange>();
    chunks.set(chunkId, copies);
    if (change === "lost" || change === "trimmed") copies.delete(name);
    else if (!(change === "placed" && copies.has(name))) copies.set(name, change);
  }
  return { chunks, nodes };
}

function drawMap(): void {
  const { chunks, nodes } = copiesAt(nowMs);
  const present = [...chunks].filter(([, copies]) => copies.size > 0).sort(([left], [right]) => left - right);
  const rows = [...nodes.values()].toSorted().map((node) => {
    const last = recording.states.findLast((state) => state.machine === node.split(".")[0] && state.atMs <= nowMs);
    const isAway = last !== undefined && last.state.phase !== "up";
    const held = present.filter(([, copies]) => copies.get(node) === "confirmed").length;
    const cells = present.map(([chunkId, copies]) => {
      const change = copies.get(node);
      return `<td class="${change ?? ""}" title="chunk ${chunkId} on ${node}: ${change ?? "no copy"}"></td>`;
    });
    return `<tr class="${isAway ? "away" : ""}"><th scope="row">${escapeText(node)}${isAway ? ` (${last.state.phase})` : ""}: ${held}</th>${cells.join("")}</tr>`;
  });
  byId("map").innerHTML = `<table>${rows.join("")}</table>`;
  byId("map-title").textContent = `Copies of ${present.length} chunks, as the log tells them at ${seconds(nowMs)}`;
}

function wantedKinds(): ReadonlySet<string> {
  const boxes = document.querySelectorAll<HTMLInputElement>(".filters input");
  return new Set([...boxes].filter((box) => box.checked).map((box) => box.value));
}

let shownEvents: Recording["events"][number][] = [];

function drawLog(): void {
  const kinds = wantedKinds();
  shownEvents = recording.events.filter((event) => kinds.has(event.kind));
  byId("rows").innerHTML = shownEvents
    .map(
      (event, index) =>
        `<div class="row is-${event.kind}" tabindex="0" data-index="${index}"><time>${seconds(event.atMs)}</time><span>${escapeText(event.text)}</span></div>`,
    )
    .join("");
}

function markLog(): void {
  const rows = byId("rows").children;
  let current: Element | undefined;
  for (const [index, event] of shownEvents.entries()) {
    const row = rows[index];
    if (row === undefined) continue;
    row.classList.toggle("later", event.atMs > nowMs);
    row.classList.remove("now");
    if (event.atMs <= nowMs) current = row;
  }
  current?.classList.add("now");
  const box = byId("rows");
  if (current instanceof HTMLElement) box.scrollTop = current.offsetTop - box.offsetTop - box.clientHeight / 2;
}

function show(ms: number): void {
  nowMs = Math.min(recording.endMs, Math.max(0, ms));
  (byId("slider") as HTMLInputElement).value = String(nowMs);
  byId("clock").textContent = seconds(nowMs);
  const cursor = byId("cursor");
  cursor.setAttribute("x1", String(at(nowMs)));
  cursor.setAttribute("x2", String(at(nowMs)));
  drawMap();
  markLog();
}

function step(direction: 1 | -1): void {
  const next =
    direction > 0
      ? shownEvents.find((event) => event.atMs > nowMs + 0.001)
      : shownEvents.findLast((event) => event.atMs < nowMs - 0.001);
  if (next !== undefined) show(next.atMs);
}

function togglePlay(): void {
  if (playing === undefined) {
    if (nowMs >= recording.endMs) show(0);
    playing = setInterval(() => {
      show(nowMs + 50);
      if (nowMs >= recording.endMs) togglePlay();
    }, 50);
  } else {
    clearInterval(playing);
    playing = undefined;
  }
  byId("play").textContent = playing === undefined ? "Play" : "Stop";
}

const slider = byId("slider") as HTMLInputElement;
slider.max = String(recording.endMs);
slider.addEventListener("input", () => show(Number(slider.value)));
byId("play").addEventListener("click", togglePlay);
byId("back").addEventListener("click", () => step(-1));
byId("forth").addEventListener("click", () => step(1));
const jump = (event: Event): void => {
  const row = event.target instanceof Element ? event.target.closest<HTMLElement>(".row") : null;
  const chosen = shownEvents[Number(row?.dataset["index"] ?? -1)];
  if (chosen !== undefined) show(chosen.atMs);
};
byId("rows").addEventListener("click", jump);
byId("rows").addEventListener("keydown", (event) => {
  if (event.key === "Enter") jump(event);
});
document.addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement) return;
  if (event.key === "ArrowRight") step(1);
  if (event.key === "ArrowLeft") step(-1);
});
for (const box of document.querySelectorAll(".filters input"))
  box.addEventListener("change", () => {
    drawLog();
    show(nowMs);
  });
drawTimeline();
drawLog();
show(recording.events.find((event) => event.kind === "violation")?.atMs ?? recording.endMs / 3);
