/** A metric without labels from a process's `/metrics`; 0 when it does not answer or has none of that name. */
export async function readMetric(url: string, name: string): Promise<number> {
  const text = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.text(),
    () => "",
  );
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}
