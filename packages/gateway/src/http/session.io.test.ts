import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ErrorDetailSchema } from "@holdfast/proto/errors/v1/errors";
import { AdminService, DriveService, SessionService } from "@holdfast/proto/drive/v1/drive";
import { createRecordingLogger } from "@holdfast/observability";
import { ada, startHttpGateway, type HttpGateway } from "../testing/http-gateway.ts";

let edge: HttpGateway;
const recorded = createRecordingLogger();
beforeAll(async () => {
  edge = await startHttpGateway({ logger: recorded });
});
afterAll(async () => edge.stop());

async function call(method: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${edge.origin}/holdfast.drive.v1.${method}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
  });
}

const cookieOf = (response: Response): string => (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
const fromPage = { "Sec-Fetch-Site": "same-origin" };

async function signInToPage(): Promise<string> {
  return cookieOf(await call("SessionService/SignIn", ada, fromPage));
}

describe("sessions", () => {
  test("a browser gets a cookie that scripts cannot read, and never the token", async () => {
    const response = await call("SessionService/SignIn", { ...ada, email: " ADA@example.org " }, fromPage);
    expect(response.status).toBe(200);
    expect(response.headers.get("set-cookie")).toMatch(
      /^holdfast-sid=[A-Za-z0-9_-]{43}; Max-Age=900; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const answer = (await response.json()) as object;
    expect(answer).toMatchObject({ account: { email: ada.email, isAdmin: true } });
    expect(answer).not.toHaveProperty("token");
  });

  test("over TLS the cookie belongs to this host alone", async () => {
    const secure = await startHttpGateway({ http: { isSecure: true } });
    const response = await fetch(`${secure.origin}/holdfast.drive.v1.SessionService/SignIn`, {
      method: "POST",
      body: JSON.stringify(ada),
      headers: { "Content-Type": "application/json" },
    });
    expect(response.headers.get("set-cookie")).toMatch(
      /^__Host-sid=\S+ Max-Age=900; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(response.headers.get("strict-transport-security")).toBe("max-age=31536000");
    await secure.stop();
  });

  test("the command line gets a token and no cookie", async () => {
    const response = await call("SessionService/SignIn", { ...ada, channel: "cli" });
    expect(response.headers.get("set-cookie")).toBeNull();
    const { token } = (await response.json()) as { token: string };
    expect((await call("SessionService/WhoAmI", {}, { Authorization: `Bearer ${token}` })).status).toBe(200);
  });

  test("a wrong password and an unknown account cannot be told apart", async () => {
    const wrong = await call("SessionService/SignIn", { email: ada.email, password: "wrong password" });
    const unknown = await call("SessionService/SignIn", { email: "nobody@example.org", password: "wrong password" });
    const [left, right] = [
      (await wrong.json()) as Record<string, unknown>,
      (await unknown.json()) as Record<string, unknown>,
    ];
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect({ code: left["code"], message: left["message"] }).toEqual({
      code: right["code"],
      message: right["message"],
    });
  });

  test.each(["", "x", "A".repeat(43), "A".repeat(5000), "../../etc/passwd"])(
    "the forged token %j is refused",
    async (token) => {
      expect((await call("SessionService/WhoAmI", {}, { Authorization: `Bearer ${token}` })).status).toBe(401);
      expect((await call("SessionService/WhoAmI", {}, { Cookie: `holdfast-sid=${token}`, ...fromPage })).status).toBe(
        401,
      );
    },
  );

  test("signing out ends the session at once, and the cookie is taken away", async () => {
    const cookie = await signInToPage();
    const signedIn = await call("SessionService/WhoAmI", {}, { Cookie: cookie, ...fromPage });
    expect(signedIn.headers.get("set-cookie")).toContain(cookie);
    const out = await call("SessionService/SignOut", {}, { Cookie: cookie, ...fromPage });
    expect(out.headers.get("set-cookie")).toMatch(/^holdfast-sid=; Max-Age=0/);
    expect((await call("SessionService/WhoAmI", {}, { Cookie: cookie, ...fromPage })).status).toBe(401);
  });

  test("a session is listed and ended from another one", async () => {
    const [cookie, other] = [await signInToPage(), await signInToPage()];
    const listed = (await (await call("SessionService/ListSessions", {}, { Cookie: cookie, ...fromPage })).json()) as {
      sessions: { sessionId: string; isCurrent?: boolean }[];
    };
    expect(listed.sessions.filter((session) => session.isCurrent === true)).toHaveLength(1);
    const mine = listed.sessions.find((session) => session.isCurrent === true);
    await call("SessionService/RevokeSession", { sessionId: mine?.sessionId }, { Cookie: other, ...fromPage });
    expect((await call("SessionService/WhoAmI", {}, { Cookie: cookie, ...fromPage })).status).toBe(401);
    expect((await call("SessionService/WhoAmI", {}, { Cookie: other, ...fromPage })).status).toBe(200);
    expect(
      (await call("SessionService/RevokeSession", { sessionId: "0011" }, { Cookie: other, ...fromPage })).status,
    ).toBe(404);
  });

  test("another site can neither use the cookie nor sign anybody in", async () => {
    const cookie = await signInToPage();
    const create = (headers: Record<string, string>): Promise<Response> =>
      call("DriveService/CreateFolder", { name: "x" }, headers);
    expect((await create({ Cookie: cookie, "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
    expect((await create({ Cookie: cookie, "Sec-Fetch-Site": "same-site" })).status).toBe(403);
    expect((await create({ Cookie: cookie, Origin: "https://evil.example" })).status).toBe(403);
    expect((await create({ Cookie: cookie, Origin: "null" })).status).toBe(403);
    expect((await create({ Cookie: cookie })).status).toBe(403);
    expect((await call("SessionService/SignIn", ada, { Origin: "https://evil.example" })).status).toBe(403);
    expect(edge.masters.commands).not.toContain("createFolder");
    expect((await create({ Cookie: cookie, Origin: edge.origin })).status).toBe(200);
    const upload = await fetch(`${edge.origin}/api/v1/files?name=x`, {
      method: "PUT",
      body: "x",
      headers: { Cookie: cookie, "Sec-Fetch-Site": "cross-site" },
    });
    expect(upload.status).toBe(403);
  });

  test("errors carry their kind, words and the request id", async () => {
    const client = createClient(DriveService, createConnectTransport({ baseUrl: edge.origin, httpVersion: "1.1" }));
    const failure = await client
      .getEntry({ path: "/" })
      .catch(
        (thrown: unknown) =>
          thrown as { findDetails: (schema: typeof ErrorDetailSchema) => { kind: number; requestId: string }[] },
      );
    const [detail] = "findDetails" in failure ? failure.findDetails(ErrorDetailSchema) : [];
    expect(detail).toMatchObject({ kind: 7, requestId: expect.stringMatching(/^[0-9a-f]{32}$/) });
  });

  test("no line of the log holds a password, a token or a name", async () => {
    await call("SessionService/SignIn", ada, fromPage);
    await fetch(`${edge.origin}/api/v1/files?parent=0&name=private-name.txt`, {
      method: "PUT",
      body: "x",
      headers: edge.bearer,
    });
    const text = JSON.stringify(recorded.records);
    expect(text).toContain("http.request");
    expect(text).toContain("SessionService/SignIn");
    for (const secret of [ada.password, edge.bearer.Authorization.slice(7), "private-name"])
      expect(text).not.toContain(secret);
  });
});

describe("guessing", () => {
  test("an account answers slower and slower, and an address runs out of attempts", async () => {
    const guarded = await startHttpGateway();
    const attempt = async (email: string): Promise<{ status: number; code: unknown }> => {
      const response = await fetch(`${guarded.origin}/holdfast.drive.v1.SessionService/SignIn`, {
        method: "POST",
        body: JSON.stringify({ email, password: "wrong password" }),
        headers: { "Content-Type": "application/json" },
      });
      return { status: response.status, code: ((await response.json()) as { code: string }).code };
    };
    for (let guess = 0; guess < 3; guess++)
      expect(await attempt(ada.email)).toEqual({ status: 401, code: "unauthenticated" });
    expect(await attempt(ada.email)).toEqual({ status: 429, code: "resource_exhausted" });
    for (let guess = 0; guess < 7; guess++) expect((await attempt(`guess-${guess}@example.org`)).status).toBe(401);
    expect((await attempt("one-more@example.org")).status).toBe(429);
    await guarded.stop();
  });
});

describe("watching", () => {
  const clientFor = (token = edge.bearer.Authorization) => {
    const transport = createConnectTransport({
      baseUrl: edge.origin,
      httpVersion: "1.1",
      interceptors: [(next) => (request) => (request.header.set("Authorization", token), next(request))],
    });
    return {
      drive: createClient(DriveService, transport),
      admin: createClient(AdminService, transport),
      sessions: createClient(SessionService, transport),
    };
  };

  test("changes arrive, also after the masters' stream broke", async () => {
    const { drive } = clientFor();
    const gone = new AbortController();
    const messages = drive.watch({}, { signal: gone.signal })[Symbol.asyncIterator]();
    expect((await messages.next()).value?.index).toBeGreaterThan(0n);
    await drive.createFolder({ name: "seen" });
    const first = (await messages.next()).value;
    expect(first?.changes[0]?.change.value).toMatchObject({ entry: { name: "seen" } });
    edge.masters.breakWatches(new Error("the leader changed"));
    await drive.createFolder({ name: "seen too" });
    expect((await messages.next()).value?.changes[0]?.change.value).toMatchObject({ entry: { name: "seen too" } });
    const again = drive
      .watch({ fromIndex: (first?.index ?? 0n) - 1n }, { signal: gone.signal })
      [Symbol.asyncIterator]();
    expect((await again.next()).value).toMatchObject({ changes: [] });
    expect((await again.next()).value?.changes[0]?.change.value).toMatchObject({ entry: { name: "seen" } });
    gone.abort();
  });

  test("the status is for administrators", async () => {
    const { admin } = clientFor();
    for await (const { status } of admin.watchStatus({})) {
      expect(status?.nodes).toHaveLength(3);
      break;
    }
    await admin.createUser({ email: "bob@example.org", password: "another password" });
    const bob = (await (
      await call("SessionService/SignIn", { email: "bob@example.org", password: "another password", channel: "cli" })
    ).json()) as { token: string };
    const denied = clientFor(`Bearer ${bob.token}`);
    await expect(denied.admin.getStatus({})).rejects.toMatchObject({ code: 7 });
    await expect(denied.admin.watchStatus({})[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 7 });
    await expect(denied.admin.listUsers({})).rejects.toMatchObject({ code: 7 });
    expect((await admin.listUsers({})).users.map((user) => user.passwordHash)).toEqual(["", ""]);
  });

  test("one caller does not see another's changes or files", async () => {
    const bob = (await (
      await call("SessionService/SignIn", { email: "bob@example.org", password: "another password", channel: "cli" })
    ).json()) as { token: string };
    const { drive } = clientFor();
    const { entry } = await drive.createFolder({ name: "adas own" });
    await expect(
      clientFor(`Bearer ${bob.token}`).drive.getEntry({ entryId: entry?.entryId ?? 0n }),
    ).rejects.toMatchObject({ code: 5 });
  });

  test("a connection that says nothing is cut", async () => {
    const quiet = await startHttpGateway({ http: { idleTimeoutMs: 100, headersTimeoutMs: 100 } });
    const socket = connect(quiet.port, "127.0.0.1");
    socket.write("PUT /api/v1/files?name=x HTTP/1.1\r\nHost: x\r\n");
    await new Promise<void>((resolve) => {
      socket.on("error", () => undefined);
      socket.resume();
      socket.once("close", () => resolve());
    });
    await quiet.stop();
  });
});
