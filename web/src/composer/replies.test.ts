import { describe, expect, it } from "vitest";
import { keep } from "../ui/kept";
import { type Quote, Replies } from "./replies.svelte";

const quote = (seq: number): Quote => ({ seq, authorName: "바다", text: `${seq}번째 말` });
let users = 0;
/** One whose device has nothing of them yet. */
const newUser = () => `user-${++users}`;

describe("what one is about to answer", () => {
  it("is kept for each room and user, over a reload", () => {
    const user = newUser();
    const replies = new Replies(user);
    expect(replies.get("a")).toBeNull();
    replies.set("a", quote(3));
    replies.set("b", quote(7));
    replies.set("b", null);
    expect(new Replies(user).get("a")).toEqual(quote(3));
    expect(new Replies(user).get("b")).toBeNull();
    expect(new Replies(newUser()).get("a")).toBeNull();
  });

  it("is gone once its message is in the outbox, and not before", () => {
    const user = newUser();
    const replies = new Replies(user);
    replies.set("a", quote(3));
    expect(replies.take("a")).toEqual(quote(3));
    expect(replies.get("a")).toBeNull();
    expect(new Replies(user).get("a")).toEqual(quote(3));
    replies.sent("a");
    expect(new Replies(user).get("a")).toBeNull();
  });

  it("is not lost where one chose the next before the first was in the outbox", () => {
    const user = newUser();
    const replies = new Replies(user);
    replies.set("a", quote(3));
    replies.take("a");
    replies.set("a", quote(4));
    replies.sent("a");
    expect(replies.get("a")).toEqual(quote(4));
    expect(new Replies(user).get("a")).toEqual(quote(4));
  });

  it("keeps no more of a long message than is shown, and whole characters of it", () => {
    const replies = new Replies(newUser());
    replies.set("a", { ...quote(1), text: "🍜".repeat(5_000) });
    expect(replies.get("a")?.text).toBe("🍜".repeat(200));
  });

  it.each(["", "{", "null", "7", '{"seq":"1","authorName":"a","text":"b"}', '{"seq":0,"authorName":"a","text":"b"}'])(
    "is nothing where the device has %s",
    (json) => {
      const user = newUser();
      keep(`suda.reply.${user}.a`, json);
      expect(new Replies(user).get("a")).toBeNull();
    },
  );
});
