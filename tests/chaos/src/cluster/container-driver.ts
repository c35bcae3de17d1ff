import type { ClusterDriver, Endpoint, ProcessPlan, ProcessSignal } from "./cluster-driver.ts";

/** Containers, one per process. */
export class ContainerDriver implements ClusterDriver {
  readonly kind = "container";
  readonly cutMissing: string | undefined = undefined;

  static async create(_names: readonly string[]): Promise<ContainerDriver> {
    return new ContainerDriver();
  }

  endpoint(_name: string): Endpoint {
    throw new Error("not yet");
  }
  async launch(_plan: ProcessPlan, _onExit: (how: string) => void): Promise<void> {}
  async signal(_name: string, _signal: ProcessSignal): Promise<void> {}
  async inNetworkOf(_name: string, _command: readonly string[]): Promise<void> {}
  async close(): Promise<void> {}
}
