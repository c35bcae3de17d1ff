import type { ReactNode } from "react";
import { Area, AreaChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { formatClock, formatCount } from "../../lib/format.ts";
import styles from "./admin-charts.module.css";
import type { History, Sample } from "./model/history.ts";

const compactFormat = new Intl.NumberFormat("en", { notation: "compact" });

interface ChartProps {
  readonly title: string;
  readonly samples: readonly Sample[];
  readonly field: Exclude<keyof Sample, "atMs">;
  readonly color: string;
  readonly unit: string;
}

/** Three series of what this page has seen since it was opened. Its own chunk: recharts loads only here. */
export function AdminCharts({ history }: { readonly history: History }): ReactNode {
  return (
    <div className={styles["charts"]}>
      <Chart
        title="Log entries per second"
        samples={history.samples}
        field="entriesPerSecond"
        color="var(--chart-1)"
        unit="/s"
      />
      <Chart
        title="Slowest heartbeat"
        samples={history.samples}
        field="slowestHeartbeatMs"
        color="var(--chart-4)"
        unit=" ms"
      />
      <Chart
        title="Chunks short of copies"
        samples={history.samples}
        field="underCount"
        color="var(--chart-2)"
        unit=""
      />
    </div>
  );
}

function Chart({ title, samples, field, color, unit }: ChartProps): ReactNode {
  const values = samples.map((sample) => sample[field]);
  const last = values.at(-1) ?? 0;
  const show = (value: number) => `${formatCount(Math.round(value * 10) / 10)}${unit}`;
  return (
    <figure
      className={styles["chart"]}
      role="img"
      aria-label={`${title}: now ${show(last)}, at most ${show(Math.max(0, ...values))}`}
    >
      <figcaption>
        <span>{title}</span>
        <strong>{show(last)}</strong>
        <span className={styles["max"]}>max {show(Math.max(0, ...values))}</span>
      </figcaption>
      <ResponsiveContainer width="100%" height={140}>
        <AreaChart data={[...samples]} margin={{ top: 8, right: 4, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid stroke="var(--line)" vertical={false} />
          <XAxis
            dataKey="atMs"
            type="number"
            domain={["dataMin", "dataMax"]}
            tickFormatter={formatClock}
            tick={{ fill: "var(--muted)", fontSize: 11 }}
            stroke="var(--line)"
            minTickGap={60}
          />
          <YAxis
            width={44}
            tick={{ fill: "var(--muted)", fontSize: 11 }}
            axisLine={false}
            tickLine={false}
            allowDecimals={false}
            domain={[0, (max: number) => Math.max(1, Math.ceil(max))]}
            tickFormatter={(value: number) => compactFormat.format(value)}
          />
          <Tooltip
            isAnimationActive={false}
            labelFormatter={(at) => formatClock(Number(at))}
            formatter={(value) => [show(Number(value)), title]}
            contentStyle={{
              background: "var(--surface)",
              border: "1px solid var(--line)",
              borderRadius: 6,
              fontSize: 12,
            }}
          />
          <Area
            type="linear"
            dataKey={field}
            stroke={color}
            strokeWidth={1.5}
            fill={color}
            fillOpacity={0.12}
            isAnimationActive={false}
            dot={false}
          />
        </AreaChart>
      </ResponsiveContainer>
    </figure>
  );
}
