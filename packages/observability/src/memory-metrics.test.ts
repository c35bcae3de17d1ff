import { expect, test } from "vitest";
import { createMetrics } from "./memory-metrics.ts";

test("renders Prometheus text: families and series sorted, labels escaped, buckets cumulative", () => {
  const metrics = createMetrics();
  metrics.gauge({ name: "b_bytes", help: "Free\nroom" }).set(1.5);
  metrics.counter({ name: "a_total", help: "Calls", labels: { kind: 'x"\\\n', area: "1" } }).add(2);
  metrics.counter({ name: "a_total", help: "Calls" }).add();
  const duration = metrics.histogram({ name: "c_ms", help: "Time", labels: { m: "r" } }, [1, 10]);
  for (const value of [0.5, 1, 5, 100]) duration.observe(value);
  expect(metrics.render()).toBe(
    `# HELP a_total Calls
# TYPE a_total counter
a_total 1
a_total{area="1",kind="x\\"\\\\\\n"} 2
# HELP b_bytes Free\\nroom
# TYPE b_bytes gauge
b_bytes 1.5
# HELP c_ms Time
# TYPE c_ms histogram
c_ms_bucket{m="r",le="1"} 2
c_ms_bucket{m="r",le="10"} 3
c_ms_bucket{m="r",le="+Inf"} 4
c_ms_sum{m="r"} 106.5
c_ms_count{m="r"} 4
`,
  );
});

test("the same name and labels give the same metric; another kind or a bad name is a bug", () => {
  const metrics = createMetrics();
  metrics.counter({ name: "a_total", help: "A", labels: { x: "1", y: "2" } }).add(1);
  metrics.counter({ name: "a_total", help: "A", labels: { y: "2", x: "1" } }).add(1);
  expect(metrics.render()).toContain('a_total{x="1",y="2"} 2');
  expect(() => metrics.gauge({ name: "a_total", help: "A" })).toThrow(/one kind/);
  expect(() => metrics.gauge({ name: "A-total", help: "A" })).toThrow(/lower-case/);
  expect(() => metrics.counter({ name: "a_total", help: "A" }).add(-1)).toThrow(/goes up/);
});
