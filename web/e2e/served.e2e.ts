// What the server sends: small, compressed, cached where that is right, under a strict policy; and the cookie.

import { gunzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Person } from "./support/browser";
import { PASSWORD, Server } from "./support/server";

/** Bytes of all JavaScript that the first page loads, compressed with gzip. */
const SCRIPT_BYTES_MAX = 120 * 1024;

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

function post(path: string, body: unknown, origin: string | null): Promise<Response> {
  return fetch(`${server.url}/api/v1/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(origin === null ? {} : { Origin: origin }) },
    body: JSON.stringify(body),
  });
}

describe("the page", () => {
  it("loads at most 120 KB of JavaScript, under a policy that allows nothing else", async () => {
    const page = await fetch(server.url);
    const html = await page.text();
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain("unsafe");
    const scripts = [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map((match) => match[1]!);
    expect(scripts.length).toBeGreaterThan(0);
    let total = 0;
    for (const script of scripts) {
      const { request } = await import("node:http");
      const bytes = await new Promise<Buffer>((done, failed) => {
        const asked = request(`${server.url}${script}`, { headers: { "Accept-Encoding": "gzip" } }, (response) => {
          expect(response.headers["content-encoding"]).toBe("gzip");
          expect(response.headers["cache-control"]).toContain("immutable");
          const parts: Buffer[] = [];
          response.on("data", (part) => parts.push(part)).on("end", () => done(Buffer.concat(parts)));
        });
        asked.on("error", failed).end();
      });
      expect(gunzipSync(bytes).length).toBeGreaterThan(bytes.length);
      total += bytes.length;
    }
    console.log(`JavaScript: ${total} bytes with gzip`);
    expect(total).toBeLessThanOrEqual(SCRIPT_BYTES_MAX);
  });
});

describe("the session", () => {
  it("is a cookie that no script reads, given to our own page alone", async () => {
    const account = { name: "하늘", password: PASSWORD, setup_token: server.setupToken, cookie: true };
    for (const origin of [null, "https://evil.example", "null"]) {
      expect((await post("sign-up", account, origin)).status).toBe(403);
    }
    const response = await post("sign-up", account, server.url);
    expect(response.status).toBe(201);
    expect(Object.keys(await response.json())).toEqual(["user"]);
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^suda=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
    expect((await post("sign-in", { ...account, setup_token: undefined }, "https://evil.example")).status).toBe(403);
  });

  it("opens no socket for a page of another origin", async () => {
    const person = await Person.open(browser, server, "하늘");
    await person.signIn();
    await person.online();
    expect(await person.page.evaluate(() => document.cookie)).toBe("");
    const [cookie] = await person.context.cookies();
    const { default: WebSocket } = await import("ws");
    const answer = (origin: string | undefined) =>
      new Promise<string>((done) => {
        const headers = { Cookie: `${cookie?.name}=${cookie?.value}` };
        const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`, "suda.v1.json", {
          headers,
          ...(origin ? { origin } : {}),
        });
        socket.on("unexpected-response", (_, response) => done(String(response.statusCode)));
        socket.on("error", () => {});
        socket.on("open", () => socket.send('{"id":1,"connect":{"device":"01890a5d-ac96-774b-bcce-b302099a8006"}}'));
        socket.on("message", (data) => {
          done(Object.keys(JSON.parse(String(data)).reply).includes("hello") ? "hello" : "error");
          socket.close();
        });
      });
    expect(await answer(server.url)).toBe("hello");
    expect(await answer("https://evil.example")).toBe("403");
    expect(await answer(undefined)).toBe("error");
    await person.close();
  });

  it("ends for all tabs when one signs out", async () => {
    const person = await Person.open(browser, server, "하늘");
    await person.signIn();
    await person.online();
    const second = await person.context.newPage();
    await second.goto(server.url);
    await second.locator(".state.online").waitFor({ state: "attached" });
    await person.page.getByRole("button", { name: "설정" }).click();
    await person.page.getByRole("button", { name: "로그아웃" }).click();
    await person.page.getByRole("button", { name: "로그인", exact: true }).waitFor();
    await second.getByText("로그아웃되었어요").waitFor();
    expect(await person.context.cookies()).toEqual([]);
    expect(person.complaints).toEqual([]);
    await person.close();
  });
});
