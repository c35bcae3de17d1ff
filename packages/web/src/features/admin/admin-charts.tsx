import { formatBytes } from "@holdfast/base";
import { memo, type ReactNode } from "react";
import { CartesianGrid, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { formatClock, formatCount, formatRate } from "../../lib/format.ts";
import styles from "./admin-charts.module.css";
import type { NodeMoment, Sample } from "./model/history.ts";
import { useHistory } from "./use-fleet.ts";

const colorCount = 6;
const syncId = "admin";

interface Series {
  readonly name: string;
  readonly color: string;
  readonly valueAt: (sample: Sample) => number | undefined;
}

interface ChartsProps {
  /** By id; the same object while nothing changed. */
  readonly nodeNames: ReadonlyMap<number, string>;
}

interface ChartProps {
  readonly title: string;
  readonly samples: readonly Sample[];
  readonly series: readonly Series[];
  readonly show: (value: number) => string;
  /** Of values that are wholes, such as counts. */
  readonly isWhole?: boolean;
}

/** The last minutes as the masters keep them, so that they are there before the page was opened. Its own chunk: recharts loads only here. */
export const AdminCharts = memo(function AdminCharts({ nodeNames }: ChartsProps): ReactNode {
  const samples = useHistory();
  const one = (name: string, chart: number, valueAt: (sample: Sample) => number): readonly Series[] => [
    { name, color: `var(--chart-${chart})`, valueAt },
  ];
  const byNode = (read: (moment: NodeMoment) => number | undefined): readonly Series[] =>
    [...nodeNames].map(([nodeId, name]) => ({
      name,
      color: `var(--chart-${((nodeId - 1) % colorCount) + 1})`,
      valueAt: (sample) => {
        const moment = sample.nodes.get(nodeId);
        return moment === undefined ? undefined : read(moment);
      },
    }));
  const count = (value: number) => formatCount(Math.round(value));
  return (
    <div className={styles["charts"]}>
      <Chart
        title="Chunks short of copies"
        samples={samples}
        series={one("chunks", 2, (sample) => sample.shortCount)}
        show={count}
        isWhole
      />
      <Chart
        title="Bytes copied"
        samples={samples}
        series={one("rate", 1, (sample) => sample.copyBytesPerSecond)}
        show={formatRate}
      />
      <Chart
        title="Commands per second"
        samples={samples}
        series={one("commands", 3, (sample) => sample.commandsPerSecond)}
        show={count}
        isWhole
      />
      <Chart
        title="Chunks in repair"
        samples={samples}
        series={one("chunks", 5, (sample) => sample.repairCount)}
        show={count}
        isWhole
      />
      <Chart title="Used, by node" samples={samples} series={byNode((moment) => moment.usedBytes)} show={formatBytes} />
      <Chart
        title="Slowest 5 % of writes, by node"
        samples={samples}
        series={byNode(({ writeP95Ms }) => (writeP95Ms === 0 ? undefined : writeP95Ms))}
        show={(value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`}
      />
    </div>
  );
});

function Chart({ title, samples, series, show, isWhole = false }: ChartProps): ReactNode {
  const values = samples.flatMap((sample) => series.map(({ valueAt }) => valueAt(sample) ?? 0));
  const most = Math.max(0, ...values);
  const [single] = series.length === 1 ? series : [];
  const newest = samples.at(-1);
  const now = newest === undefined || single === undefined ? undefined : single.valueAt(newest);
  const spoken = now === undefined ? `at most ${show(most)}` : `now ${show(now)}, at most ${show(most)}`;
  return (
    <figure className={styles["chart"]}>
      <figcaption>
        <span>{title}</span>
        {now !== undefined && <strong>{show(now)}</strong>}
        <span className={styles["max"]}>max {show(most)}</span>
      </figcaption>
      <div role="img" aria-label={`${title}: ${spoken}`}>
        <ResponsiveContainer width="100%" height={140}>
          <LineChart
            data={[...samples]}
            margin={{ top: 8, right: 8, bottom: 0, left: 0 }}
            accessibilityLayer={false}
            syncId={syncId}
          >
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
              width={60}
              tick={{ fill: "var(--muted)", fontSize: 11 }}
              axisLine={false}
              tickLine={false}
              tickCount={4}
              allowDecimals={!isWhole}
              domain={[0, "auto"]}
              tickFormatter={(value: number) => show(value).replaceAll(" ", "\u00a0")}
            />
            <Tooltip
              isAnimationActive={false}
              labelFormatter={(at) => formatClock(Number(at))}
              formatter={(value, name) => [show(Number(value)), name]}
              contentStyle={{
                background: "var(--surface)",
                border: "1px solid var(--line)",
                borderRadius: 6,
                fontSize: 12,
              }}
            />
            {series.map(({ name, color, valueAt }) => (
              <Line
                key={name}
                type="linear"
                name={name}
                dataKey={valueAt}
                stroke={color}
                strokeWidth={1.5}
                isAnimationActive={false}
                dot={false}
              />
            ))}
          </LineChart>
        </ResponsiveContainer>
      </div>
      {series.length > 1 && (
        <ul className={styles["legend"]}>
          {series.map(({ name, color }) => (
            <li key={name}>
              <i style={{ background: color }} /> {name}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}
