import { create } from "@bufbuild/protobuf";
import { GetClusterStatusRequestSchema } from "@holdfast/proto/master/v1/master";
import type { MasterClient } from "./master-client.ts";

/** What a cluster decided about itself and never changes while it runs. */
export interface ClusterFacts {
  readonly clusterId: string;
  /** Bytes of a full chunk. */
  readonly chunkSizeBytes: number;
  /** Copies that must be durable before a write counts. */
  readonly writeCopiesMin: number;
}

/** Asks the masters once and remembers. A failed question is asked again next time. */
export class ClusterFactsSource {
  readonly #masters: Pick<MasterClient, "queries">;
  #facts: Promise<ClusterFacts> | undefined;

  constructor(masters: Pick<MasterClient, "queries">) {
    this.#masters = masters;
  }

  /** Errors: those of a query. */
  get(): Promise<ClusterFacts> {
    this.#facts ??= this.#ask().catch((error: unknown) => {
      this.#facts = undefined;
      throw error;
    });
    return this.#facts;
  }

  async #ask(): Promise<ClusterFacts> {
    const { clusterId, chunkSizeBytes, writeCopiesMin } = await this.#masters.queries.getClusterStatus(
      create(GetClusterStatusRequestSchema),
    );
    return { clusterId, chunkSizeBytes, writeCopiesMin };
  }
}
