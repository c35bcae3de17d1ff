import { HoldfastError } from "@holdfast/base";
import { expect, test } from "vitest";
import { explainFailure, failureFromHttp, isRetryable } from "./failure.ts";

test("the server's own words are kept, with what is safe behind them", () => {
  const failure = explainFailure(
    new HoldfastError("nameTaken", "“a.txt” is already in this folder.", { requestId: "r1" }),
  );
  expect(failure).toEqual({
    kind: "nameTaken",
    title: "“a.txt” is already in this folder.",
    advice: "Nothing was changed. Choose another name.",
    requestId: "r1",
  });
});

test("a broken line is told in our words, never in the browser's", () => {
  expect(explainFailure(new HoldfastError("unavailable", "Failed to fetch")).title).toBe(
    "The server cannot be reached",
  );
});

test("a bug of the page does not pretend to be the server's", () => {
  expect(explainFailure(new TypeError("x is undefined")).title).toBe("Something went wrong on this page");
});

test.each([
  [409, JSON.stringify({ kind: "nameTaken", message: "taken" }), "nameTaken", "taken"],
  [507, JSON.stringify({ error: { kind: "noSpace", message: "full" } }), "noSpace", "full"],
  [503, "<html>bad gateway</html>", "unavailable", "The server answered 503."],
  [0, "", "unavailable", "The connection broke."],
  [418, "null", "invalidArgument", "The server answered 418."],
  [400, JSON.stringify({ kind: "noSuchKind" }), "invalidArgument", "The server answered 400."],
])("HTTP %d %s is %s", (status, body, kind, message) => {
  expect(failureFromHttp(status, body)).toMatchObject({ kind, message });
});

test("only what may heal by itself is tried again", () => {
  expect(isRetryable(failureFromHttp(503, ""))).toBe(true);
  expect(isRetryable(failureFromHttp(422, ""))).toBe(true);
  expect(isRetryable(failureFromHttp(409, ""))).toBe(false);
  expect(isRetryable(failureFromHttp(401, ""))).toBe(false);
  expect(isRetryable(new TypeError("bug"))).toBe(false);
});
