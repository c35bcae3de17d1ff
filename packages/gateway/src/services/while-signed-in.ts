/**
 * Passes a stream on for as long as its caller is signed in: the session is looked at before every message, which costs
 * a look into the cache; heartbeats bound how long a stream outlives its session.
 */
export async function* whileSignedIn<T>(
  messages: AsyncIterable<T>,
  requireSession: () => Promise<void>,
): AsyncGenerator<T> {
  for await (const message of messages) {
    await requireSession();
    yield message;
  }
}
