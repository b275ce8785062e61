// An echoing server, or a client that checks one, of npm's ws; or Chromium as the client.
//
//   node peer.mjs FOLDER ws server off|no-takeover|takeover
//   node peer.mjs FOLDER ws client off|no-takeover|takeover URL
//   node peer.mjs FOLDER chromium client - URL
//   node peer.mjs FOLDER chromium pages FILE URL…     the pages of echo_server, chat, command and filewatch, in this order
//
// FOLDER has the packages. The client prints what was negotiated.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, library, role, deflate, url] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const MESSAGE_BYTES_MAX = 4 << 20;
const LENGTHS = [0, 1, 125, 126, 65_535, 65_536, 200_000, 1_000_000];

const forget = deflate === "no-takeover";
const perMessageDeflate =
  deflate === "off" ? false : { serverNoContextTakeover: forget, clientNoContextTakeover: forget, threshold: 0 };

async function server() {
  const { WebSocketServer } = require("ws");
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate, maxPayload: MESSAGE_BYTES_MAX });
  server.on("connection", (peer) => peer.on("message", (data, binary) => peer.send(data, { binary })));
  await once(server, "listening");
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
}

async function client() {
  const { WebSocket } = require("ws");
  const peer = new WebSocket(url, { perMessageDeflate, maxPayload: MESSAGE_BYTES_MAX });
  const [[answer]] = await Promise.all([once(peer, "upgrade"), once(peer, "open")]);
  const echo = async (message) => {
    const binary = typeof message !== "string";
    peer.send(message, { binary });
    await came(message);
  };
  const came = async (message) => {
    const [data, binary] = await once(peer, "message");
    assert.equal(binary, typeof message !== "string");
    assert.ok(data.equals(Buffer.from(message)), `${message.length} came back as another`);
  };
  for (const length of LENGTHS) {
    await echo("수다 ".repeat(length / 7));
    await echo(Buffer.from(Array.from({ length }, (_, at) => ((at * at) >> 7) & 0xff)));
  }
  peer.send("조각", { fin: false });
  peer.send("난 ", { fin: false });
  peer.ping("between");
  peer.send("말", { fin: true });
  const [, [pong]] = await Promise.all([came("조각난 말"), once(peer, "pong")]);
  assert.equal(String(pong), "between");
  peer.close(4001, "bye");
  const [code] = await once(peer, "close");
  assert.equal(code, 4001);
  console.log(answer.headers["sec-websocket-extensions"] ?? "none");

  const other = new WebSocket(url, { perMessageDeflate });
  await once(other, "open");
  other.send(Buffer.alloc(MESSAGE_BYTES_MAX + 1));
  other.on("error", () => {});
  assert.equal((await once(other, "close"))[0], 1009);
}

async function browse(visit) {
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({
    executablePath: process.env.SUDA_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  try {
    await visit(browser);
  } finally {
    await browser.close();
  }
}

/** In the page that the server has beside its WebSocket, so that the Origin is the browser's own. */
async function chromium() {
  await browse(async (browser) => {
    const page = await browser.newPage();
    await page.goto(url.replace(/^ws/, "http").replace(/ws$/, ""));
    const extensions = await page.evaluate(talk, { url, lengths: LENGTHS });
    console.log(extensions || "none");
  });
}

/** Each example's page does what its example is about. */
async function pages() {
  const [file, echo, chat, command, filewatch] = process.argv.slice(5);
  await browse(async (browser) => {
    const open = async (address) => {
      const page = await browser.newPage();
      await page.goto(address);
      return page;
    };
    const say = async (page, text) => {
      await page.fill("input", text);
      await page.press("input", "Enter");
    };
    const shows = (page, text) => page.getByText(text, { exact: true }).waitFor();

    const alone = await open(echo);
    await shows(alone, "open");
    await say(alone, "수다");
    await shows(alone, "← 수다");
    await alone.click("#close");
    await shows(alone, "closed: 1000");

    const [one, other] = [await open(chat), await open(chat)];
    await Promise.all([shows(one, "connected"), shows(other, "connected")]);
    await say(one, "<b>안녕</b>");
    await Promise.all([shows(one, "<b>안녕</b>"), shows(other, "<b>안녕</b>")]);

    const shell = await open(command);
    await shows(shell, "running");
    await say(shell, "cat gives it back");
    await shows(shell, "cat gives it back");

    const watching = await open(filewatch);
    await shows(watching, readFileSync(file, "utf8"));
    writeFileSync(file, "changed, and longer than before");
    await shows(watching, "changed, and longer than before");
  });
  console.log("the pages of echo_server, chat, command and filewatch work");
}

/** Runs in the page. */
async function talk({ url, lengths }) {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const next = (name) =>
    new Promise((resolve, reject) => {
      socket.addEventListener(name, resolve, { once: true });
      if (name !== "close") socket.addEventListener("close", (event) => reject(new Error(`closed: ${event.code}`)), { once: true });
    });
  await next("open");
  for (const length of lengths) {
    const text = "수다 ".repeat(length / 7);
    socket.send(text);
    if ((await next("message")).data !== text) throw new Error(`${length} characters came back as others`);
    const bytes = Uint8Array.from({ length }, (_, at) => ((at * at) >> 7) & 0xff);
    socket.send(bytes);
    const back = new Uint8Array((await next("message")).data);
    if (back.length !== length || back.some((byte, at) => byte !== bytes[at])) throw new Error(`${length} bytes came back as others`);
  }
  const { extensions } = socket;
  const closed = next("close");
  socket.close(4001, "bye");
  const { code, wasClean } = await closed;
  if (code !== 4001 || !wasClean) throw new Error(`closed with ${code}, clean: ${wasClean}`);
  return extensions;
}

await { server, client: library === "chromium" ? chromium : client, pages }[role]();
