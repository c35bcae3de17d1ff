/** What a new node must know to find its cluster and to be let in. */
export interface JoinTokenParts {
  readonly masterAddresses: readonly string[];
  readonly clusterId: string;
  readonly token: string;
}

/** The parts as one word that can be typed and copied. */
export function encodeJoinToken({ masterAddresses, clusterId, token }: JoinTokenParts): string {
  return `holdfast1.${clusterId}.${token}.${masterAddresses.join(",")}`;
}

/** The parts of a join string; undefined when it is none. */
export function decodeJoinToken(text: string): JoinTokenParts | undefined {
  const [version, clusterId, token, ...addresses] = text.split(".");
  if (version !== "holdfast1" || clusterId === undefined || token === undefined) return undefined;
  return { clusterId, token, masterAddresses: addresses.join(".").split(",") };
}
