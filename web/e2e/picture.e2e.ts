// A picture of `suda chat`: the real program in a pseudo-terminal, its cells drawn as a terminal draws them, kept in e2e/.out.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PseudoTerminal } from "./scenarios/pty";
import { launch } from "./support/browser";
import { page } from "./support/cells";
import { Program } from "./support/program";
import { binary, PASSWORD, Server } from "./support/server";

const SIZE = { rows: 30, columns: 100 };

/** People in a few rooms; 나무 is in all of them. */
async function talk(server: Server): Promise<{ later: () => Promise<void> }> {
  const [sea, sky, wind] = await Promise.all(
    ["바다", "하늘", "바람"].map(async (name) => Program.connect(server.url, await server.signUp(name))),
  );
  const room = await sea!.createRoom("수다방");
  for (const person of [sky!, wind!]) await person.join("수다방");
  await sea!.post(room, "안녕하세요! 오늘 저녁에 다들 시간 괜찮으세요?");
  await sea!.post(room, "을지로에 새로 생긴 **국숫집**이 있는데, 같이 가 보면 좋겠어요 🍜");
  await sky!.post(room, "좋아요! 저는 7시 이후면 언제든 괜찮습니다.");
  await wind!.post(room, "> 7시 이후면 언제든\n\n그럼 7시 반에 만나요. 준비물은\n- 튼튼한 배\n- 우산 (비 온대요 ☔)");
  await sky!.post(room, '참, 어제 이야기한 설정은 이렇게 하면 돼요:\n\n```toml\nlisten = "0.0.0.0:7300"\n```');
  const others = [await sea!.createRoom("회의 기록"), await sky!.createRoom("책 읽는 밤")];
  return {
    later: async () => {
      await sea!.post(room, "I’ll bring the umbrella. `see you there` 👍");
      await sea!.post(others[0]!, "지난 회의 기록을 올렸어요.");
      await sky!.post(others[1]!, "이번 달 책은 어떠셨어요?");
      await sky!.post(others[1]!, "저는 다 읽었습니다!");
      for (const program of [sea!, sky!, wind!]) program.close();
    },
  };
}

it("the terminal, in colour", async () => {
  mkdirSync("e2e/.out", { recursive: true });
  const home = mkdtempSync(join(tmpdir(), "suda-picture-"));
  const server = await Server.start();
  const browser = await launch();
  const environment = {
    PROGRAM: binary,
    HOME: home,
    LC_ALL: "ko_KR.UTF-8",
    TZ: "Asia/Seoul",
    SUDA_CREDENTIALS: "file",
  };
  const run = (args: string[], input = "") => {
    const done = spawnSync(binary, args, { env: { PATH: process.env.PATH, ...environment }, input });
    expect(done.status, String(done.stderr)).toBe(0);
  };
  let terminal: PseudoTerminal | undefined;
  try {
    run(
      ["login", "--server", server.url, "--name", "나무", "--password-stdin", "--setup", server.setupToken],
      PASSWORD,
    );
    const { later } = await talk(server);
    for (const room of ["수다방", "회의 기록", "책 읽는 밤"]) run(["send", room, "들어왔어요, 반갑습니다!"]);
    terminal = new PseudoTerminal(
      'exec "$PROGRAM" chat --theme dark',
      { ...environment, COLORTERM: "truecolor" },
      SIZE,
    );
    const shows = (text: string) => expect.poll(() => terminal!.rows().join("\n")).toContain(text);
    await shows("● 연결됨");
    terminal.press("\u000b수다방");
    await shows("› 수다방 ");
    terminal.press("\r");
    await shows("listen =");
    await later();
    await shows("see you there");
    await expect.poll(() => terminal!.rows(0, 21).join("\n")).toMatch(/책 읽는 밤 +2/);
    terminal.press("\u001br");
    await shows("Enter 답장");
    terminal.press("\r");
    await shows("↪ 바다: I’ll bring");
    terminal.press("저도 갈게요! 늦으면 먼저 드세요 😋");
    await shows("먼저 드세요 😋");

    const picture = await browser.newPage({ deviceScaleFactor: 2, viewport: { width: 1200, height: 900 } });
    await picture.setContent(page(terminal.cells(), terminal.cursor()));
    await picture.evaluate(() => document.fonts.ready);
    await picture.locator("main").screenshot({ path: "e2e/.out/terminal.png", omitBackground: true });
  } finally {
    await terminal?.kill();
    await browser.close();
    await server.remove();
    rmSync(home, { recursive: true, force: true });
  }
});
