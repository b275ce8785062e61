// Several tabs of one device: who owns the outbox, and how the tabs tell each other that it changed.

export type News = { kind: "changed" } | { kind: "settled"; clientId: string; seq: number };

export interface Tabs {
  /** Calls back once this tab owns the outbox: when no other does, or the one that did is gone. */
  own(owned: () => void): void;
  /** Lets another tab own the outbox; this one never does again. */
  release(): void;
  tell(news: News): void;
  listen(heard: (news: News) => void): void;
  close(): void;
}

export function browserTabs(user: string): Tabs {
  const name = `suda.outbox.${user}`;
  const channel = new BroadcastChannel(name);
  const ended = new AbortController();
  return {
    own(owned) {
      if (!navigator.locks) {
        // Pages on plain http have no locks. Then every tab sends: the server takes each client id once.
        owned();
        return;
      }
      // Held until the tab is closed; the browser gives it to the next one that waits.
      const held = navigator.locks.request(name, { signal: ended.signal }, () => {
        // The end may come between the browser's grant and this call: then nothing would ever let go of the lock.
        if (ended.signal.aborted) return;
        owned();
        return new Promise<void>((resolve) => ended.signal.addEventListener("abort", () => resolve()));
      });
      held.catch(() => {});
    },
    release: () => ended.abort(),
    tell: (news) => channel.postMessage(news),
    listen(heard) {
      channel.onmessage = ({ data }) => heard(data as News);
    },
    close() {
      ended.abort();
      channel.close();
    },
  };
}
