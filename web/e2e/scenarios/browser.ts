// The browser's side of the scenarios: the page in Chromium.

import type { Browser } from "playwright-core";
import { expect } from "vitest";
import { Person, type Site } from "../support/browser";
import type { ChatClient } from "./client";

/** Wide as on a desk, and so tall that a conversation is on the screen as a whole. */
const LOOK = { width: 1180, height: 2_400 };

export class BrowserClient implements ChatClient {
  private constructor(readonly person: Person) {}

  static async open(browser: Browser, site: Site, name: string): Promise<BrowserClient> {
    return new BrowserClient(await Person.open(browser, site, name, LOOK));
  }

  private get page() {
    return this.person.page;
  }

  async setUp() {
    await this.person.setUp();
    await this.person.online();
  }

  async signUp() {
    await this.person.signUp();
    await this.person.online();
  }

  async signIn() {
    await this.person.signIn();
    await this.person.online();
  }

  async end() {
    // Nobody closes a tab within the milliseconds that what was just sent needs to its disk.
    await expect.poll(() => this.#kept()).toBeGreaterThanOrEqual(await this.waiting());
    await this.page.close();
  }

  /** Posts that are on the browser's own disk. */
  #kept(): Promise<number> {
    return this.page.evaluate(async () => {
      const done = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const [found] = await indexedDB.databases();
      if (!found?.name) return 0;
      const database = await done(indexedDB.open(found.name));
      const count = await done(database.transaction("outbox").objectStore("outbox").count());
      database.close();
      return count;
    });
  }

  async begin() {
    this.person.page = await this.person.context.newPage();
    await this.page.goto(this.person.server.url);
    await this.page.locator(".scroller.placed").waitFor();
  }

  close() {
    return this.person.close();
  }

  async isOnline() {
    return (await this.page.locator(".state.online").count()) === 1;
  }

  async isOffline() {
    return (await this.page.getByText("연결이 끊겼어요").count()) > 0;
  }

  createRoom(room: string) {
    return this.#choose(room, this.page.getByRole("option", { name: `‘${room}’ 방 만들기` }));
  }

  openRoom(room: string) {
    return this.#choose(room, this.page.getByRole("option").filter({ hasNotText: "방 만들기", hasText: room }));
  }

  async #choose(room: string, option: ReturnType<typeof this.page.locator>) {
    await this.page.keyboard.press("Control+k");
    await this.page.getByRole("combobox").fill(room);
    await option.waitFor();
    await this.page.keyboard.press("Enter");
    await this.page.getByRole("heading", { name: `# ${room}`, level: 1 }).waitFor();
    await this.page.locator(".scroller.placed").waitFor();
    await this.page.locator("dialog").waitFor({ state: "detached" });
  }

  async leaveRoom() {
    await this.page.getByRole("button", { name: "방 나가기" }).click();
    await this.page.locator("dialog button.primary").click();
    await this.page.locator("dialog").waitFor({ state: "detached" });
  }

  rooms() {
    return this.page.locator("nav a .name").allInnerTexts();
  }

  async unread(room: string) {
    const counts = await this.page.locator("nav a", { hasText: room }).locator(".count").allInnerTexts();
    return Number(counts[0] ?? 0);
  }

  async type(text: string) {
    await this.person.field.focus();
    for (const [index, line] of text.split("\n").entries()) {
      if (index > 0) await this.page.keyboard.press("Shift+Enter");
      await this.page.keyboard.insertText(line);
    }
  }

  send() {
    return this.person.field.press("Enter");
  }

  draft() {
    return this.person.field.inputValue();
  }

  erase() {
    return this.person.field.fill("");
  }

  async lines() {
    const texts = await this.page.locator("article[data-seq] .body").evaluateAll((bodies) => {
      const screen = document.querySelector(".scroller")!.getBoundingClientRect();
      const seen = (bodies as HTMLElement[]).map((body) => ({
        box: body.getBoundingClientRect(),
        text: body.innerText,
      }));
      return seen
        .filter(({ box }) => box.bottom > screen.top && box.top < screen.bottom)
        .sort((one, other) => one.box.top - other.box.top)
        .map(({ text }) => text);
    });
    return texts.flatMap((text) => text.split("\n").filter((line) => line !== ""));
  }

  waiting() {
    return this.page.locator("[data-waiting=queued]").count();
  }

  refused() {
    return this.page.locator("[data-waiting=failed]").count();
  }

  retry() {
    return this.page.getByRole("button", { name: "다시 보내기" }).click();
  }

  async scrollUp() {
    await this.page.locator(".scroller").focus();
    await this.page.keyboard.press("PageUp");
  }

  async toNewest() {
    await this.page.locator("button.down").click();
  }

  async newBelow() {
    const told = await this.page.locator("button.down.new").allInnerTexts();
    return Number(/\d+/.exec(told[0] ?? "")?.[0] ?? 0);
  }

  async firstUnreadLine() {
    const below = this.page.locator("*:has(> .divider.unread) article .body");
    return (await below.allInnerTexts())[0];
  }

  async damage() {
    const title = await this.page.title();
    const page = await this.page.evaluate(() => ({
      hacked: "hacked" in window,
      wide: document.documentElement.scrollWidth > innerWidth,
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
      control: /[\u0000-\u0008\u001b\u202A-\u202E\u2066-\u2069]/.test(document.body.innerText),
    }));
    return [
      ...this.person.complaints,
      ...this.person.foreign.map((url) => `a request to ${url}`),
      ...Object.entries(page).flatMap(([name, is]) => (is ? [name] : [])),
      ...(title.includes("제목") ? [`the title ${title}`] : []),
    ];
  }
}
