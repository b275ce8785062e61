// Debian's Chromium, driven by playwright-core; and the words in which tests speak of the page.

import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { PASSWORD } from "./server";

const executablePath = process.env.SUDA_CHROMIUM ?? "/usr/bin/chromium";

export async function launch(): Promise<Browser> {
  if (!existsSync(executablePath))
    throw new Error(`Chromium is missing: apt-get install chromium, or name one in SUDA_CHROMIUM`);
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

export interface Look {
  scheme?: "light" | "dark";
  width?: number;
  height?: number;
  locale?: string;
}

/** Where a person's client finds the server. */
export interface Site {
  readonly url: string;
  readonly setupToken: string;
}

/** One person's browser: its own cookies and disk. Every request elsewhere and every complaint of the page is remembered. */
export class Person {
  readonly foreign: string[] = [];
  readonly complaints: string[] = [];

  private constructor(
    readonly name: string,
    readonly server: Site,
    readonly context: BrowserContext,
    public page: Page,
  ) {}

  static async open(browser: Browser, server: Site, name: string, look: Look = {}): Promise<Person> {
    const context = await browser.newContext({
      colorScheme: look.scheme ?? "light",
      viewport: { width: look.width ?? 1180, height: look.height ?? 760 },
      locale: look.locale ?? "ko-KR",
      timezoneId: "Asia/Seoul",
      reducedMotion: "reduce",
    });
    const person = new Person(name, server, context, await context.newPage());
    context.on("request", (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith(server.url.replace("http", "ws"))) {
        person.foreign.push(request.url());
      }
    });
    context.on("console", (message) => {
      const text = message.text();
      // A server that is down, or says no, is part of the tests; a policy that is broken never is.
      const isExpected = /Failed to load resource|WebSocket connection to|net::ERR/.test(text);
      if (message.type() === "error" && !isExpected) person.complaints.push(text);
    });
    context.on("weberror", (error) => person.complaints.push(String(error.error())));
    return person;
  }

  async signUp(): Promise<void> {
    await this.page.goto(this.server.url);
    await this.page.getByRole("button", { name: /가입하기/ }).click();
    await this.fillIn();
    await this.page.locator("button.primary").click();
  }

  async setUp(): Promise<void> {
    await this.page.goto(`${this.server.url}/setup#${this.server.setupToken}`);
    await this.fillIn();
    await this.page.locator("button.primary").click();
  }

  async signIn(): Promise<void> {
    await this.page.goto(this.server.url);
    await this.fillIn();
    await this.page.locator("button.primary").click();
  }

  async fillIn(): Promise<void> {
    await this.page.locator("input[name=name]").fill(this.name);
    await this.page.locator("input[name=password]").fill(PASSWORD);
  }

  /** Goes to a room through the finder: opens, joins or creates it. */
  async go(room: string): Promise<void> {
    await this.online();
    await this.page.keyboard.press("Control+k");
    await this.page.getByRole("combobox").fill(room);
    await this.page.getByRole("option", { name: room }).first().waitFor();
    await this.page.keyboard.press("Enter");
    await this.page
      .getByRole("heading", { name: `# ${room}` })
      .first()
      .waitFor();
    await this.page.locator(".scroller.placed").waitFor();
  }

  /** Closes the sheet that is open. */
  async escape(): Promise<void> {
    await this.page.keyboard.press("Escape");
    await this.page.locator("dialog").waitFor({ state: "detached" });
  }

  get field() {
    return this.page.locator("textarea");
  }

  async say(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  /** What stands in the timeline, from the server's entries. */
  async texts(): Promise<string[]> {
    return this.page.locator("article[data-seq] .body").allInnerTexts();
  }

  async online(): Promise<void> {
    await this.page.locator(".state.online").waitFor({ state: "attached" });
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
