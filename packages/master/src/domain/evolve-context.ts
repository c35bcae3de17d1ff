/** Where in the log an event stands; the same for all events of a batch. */
export interface EvolveContext {
  /** Log index. In the leader's overlay it is a forecast: no decision may put it into an event. */
  readonly index: number;
  /** Leader time of the batch. */
  readonly atMs: number;
  /** See EventBatch.actor. */
  readonly actor: string;
}
