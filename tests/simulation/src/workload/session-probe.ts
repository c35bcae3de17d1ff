import { isHoldfastError } from "@holdfast/base";
import type { StartedSession } from "@holdfast/gateway";
import type { SimWorld } from "@holdfast/runtime/sim";
import { sessionStaleMsMax, simulatedUser } from "../world/process-configs.ts";
import { PatientCaller, type PatientCallerParts } from "./patient-caller.ts";

/** Signs in, as the command line does. */
async function signIn(patient: PatientCaller): Promise<StartedSession | undefined> {
  const origin = { ip: "10.0.0.99", client: "simulation" };
  const wish = { ...simulatedUser, ...origin, channel: "cli", keepSignedIn: true } as const;
  const outcome = await patient.call(({ sessions }, scope) => sessions.signIn(wish, scope));
  return outcome.kind === "done" ? outcome.value : undefined;
}

/** Signs in as soon as the account is there. */
export async function signInAtLast(patient: PatientCaller, { process }: PatientCallerParts): Promise<StartedSession> {
  for (;;) {
    const session = await signIn(patient);
    if (session !== undefined) return session;
    await process.timers.sleep(200);
  }
}

/**
 * Somebody who signs in, uses the session at every gateway and signs out, again and again. After a sign-out that was
 * answered, and the time that a gateway may go on believing, nobody may take the token.
 */
export class SessionProbe {
  readonly #world: SimWorld;
  readonly #parts: PatientCallerParts;
  readonly #patient: PatientCaller;
  readonly #ended: { readonly token: string; readonly atMs: number }[] = [];
  #isWanted = true;

  constructor(world: SimWorld, parts: PatientCallerParts) {
    this.#world = world;
    this.#parts = parts;
    this.#patient = new PatientCaller(parts);
  }

  /** Works until `finish` is called. */
  async run(): Promise<void> {
    const { process, random } = this.#parts;
    while (this.#isWanted) {
      const session = await signIn(this.#patient);
      if (session !== undefined) await this.#useAndEnd(session);
      await process.timers.sleep(random.between(500, 2_500));
    }
  }

  /** No new session. */
  finish(): void {
    this.#isWanted = false;
  }

  /** Tries every ended token at every gateway that runs. */
  async verifyAll(): Promise<void> {
    for (const { token, atMs } of this.#ended) {
      if (this.#world.nowMs() < atMs + sessionStaleMsMax) continue;
      for (const { gateway } of this.#parts.gateways()) {
        const scope = { requestId: "7".repeat(32), signal: new AbortController().signal };
        try {
          await gateway.sessions.authenticate(token, scope);
          this.#parts.report(
            `a session that ended ${Math.round(this.#world.nowMs() - atMs)} ms ago is taken by ${gateway.config.name}`,
          );
        } catch (error) {
          if (!isHoldfastError(error)) throw error;
        }
      }
    }
  }

  async #useAndEnd({ token, caller }: StartedSession): Promise<void> {
    for (const _access of this.#parts.gateways())
      await this.#patient.call(({ sessions }, scope) => sessions.authenticate(token, scope));
    const out = await this.#patient.call(({ sessions }, scope) => sessions.signOut(caller, scope));
    if (out.kind === "done") this.#ended.push({ token, atMs: this.#world.nowMs() });
  }
}
