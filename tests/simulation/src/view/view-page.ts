import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import type { Recording } from "../run/recording.ts";
import { describeFaults, type SimulationReport } from "../run/seed-report.ts";

const styleFile = new URL("viewer.css", import.meta.url);
const scriptFile = new URL("viewer.ts", import.meta.url);

/** A run as one page that needs nothing else: no network, no other file. */
export function viewPage(
  report: SimulationReport,
  recording: Recording,
  origin: { readonly commit: string; readonly command: string },
): string {
  const { seed, operationCount, faultCount, faults, termCount, violations, traceHash } = report;
  const verdict =
    violations.length === 0
      ? `<span class="verdict">every promise was kept</span>`
      : `<span class="verdict red">${violations.length} broken promise${violations.length === 1 ? "" : "s"}</span>`;
  const list = violations.length === 0 ? "" : `<div class="violations">${escapeText(violations.join("\n"))}</div>`;
  const kinds = {
    fault: "faults",
    machine: "processes",
    log: "log",
    step: "clients",
    phase: "phases",
    violation: "violations",
  };
  const filters = Object.entries(kinds).map(
    ([kind, label]) => `<label><input type="checkbox" value="${kind}" checked> ${label}</label>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Seed ${seed}: ${violations.length === 0 ? "green" : "red"}</title>
<style>${readFileSync(styleFile, "utf8")}</style>
</head>
<body>
<header>
<h1>Seed ${seed}: ${verdict}</h1>
<p>${operationCount} operations, ${termCount} terms, ${faultCount} faults${faultCount === 0 ? "" : ` (${escapeText(describeFaults(faults))})`}</p>
<p>Commit ${escapeText(origin.commit)}, trace ${traceHash}. Again: <code>${escapeText(origin.command)}</code></p>
${list}
</header>
<div class="controls">
<button id="back" type="button">Step back</button><button id="play" type="button">Play</button><button id="forth" type="button">Step</button>
<input id="slider" type="range" min="0" step="1" aria-label="Virtual time"><span class="clock" id="clock"></span>
</div>
<main>
<div class="left">
<section><h2>Who ran, what went wrong, and what clients did</h2><svg id="timeline" role="img" aria-label="Timeline of machines, faults and clients"></svg>
<div class="legend"><span><i style="background:var(--lead)"></i>leads</span><span><i style="background:var(--good)"></i>runs</span><span><i style="background:var(--wait)"></i>paused; of a client: refused</span><span><i style="background:var(--fault);box-shadow:inset 2px 0 0 var(--fault-edge)"></i>fault</span><span><i style="background:var(--step)"></i>a client's step</span><span><i style="background:var(--bad)"></i>never answered</span></div></section>
<section><h2 id="map-title">Copies</h2><div class="map" id="map"></div>
<div class="legend"><span><i style="background:var(--good)"></i>counts</span><span><i style="box-shadow:inset 0 0 0 2px var(--wait)"></i>ordered, not there yet</span><span><i style="background:repeating-linear-gradient(45deg,var(--wait) 0 2px,transparent 2px 5px)"></i>ordered away</span><span><i style="background:var(--bad)"></i>damaged on purpose</span></div></section>
</div>
<section class="log"><h2>Step by step</h2><div class="filters">${filters.join("")}</div><div class="rows" id="rows"></div></section>
</main>
<script type="application/json" id="recording">${JSON.stringify(recording).replaceAll("<", "\\u003c")}</script>
<script type="module">${stripTypeScriptTypes(readFileSync(scriptFile, "utf8"))}</script>
</body>
</html>
`;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
