// The outbox on the device's disk: IndexedDB, shared by all tabs. Holds posts that have no answer yet, of whoever signed in here.

import type { Item } from "./item";

const DATABASE = "suda";
const VERSION = 1;
const OUTBOX = "outbox";

export interface Store {
  /** Whether the device's other tabs see what it holds. */
  readonly isShared: boolean;
  /** The user's items, oldest first. */
  all(user: string): Promise<Item[]>;
  put(item: Item): Promise<void>;
  remove(clientId: string): Promise<void>;
}

export class DiskStore implements Store {
  readonly isShared = true;
  #database: Promise<IDBDatabase> | undefined;

  constructor(readonly factory: IDBFactory = indexedDB) {}

  async all(user: string): Promise<Item[]> {
    const store = await this.#store("readonly");
    const items = await done<Item[]>(store.getAll());
    return items.filter((item) => item.user === user).sort((a, b) => a.at - b.at);
  }

  async put(item: Item): Promise<void> {
    const store = await this.#store("readwrite");
    await committed(store.transaction, store.put(item));
  }

  async remove(clientId: string): Promise<void> {
    const store = await this.#store("readwrite");
    await committed(store.transaction, store.delete(clientId));
  }

  async #store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    this.#database ??= open(this.factory);
    const database = await this.#database;
    // "strict": the browser says done only when it is on disk.
    return database.transaction(OUTBOX, mode, { durability: "strict" }).objectStore(OUTBOX);
  }
}

/** For a browser that gives no disk (private windows of some): what it holds ends with the tab. */
export class MemoryStore implements Store {
  readonly isShared = false;
  #items = new Map<string, Item>();

  async all(user: string): Promise<Item[]> {
    return [...this.#items.values()].filter((item) => item.user === user).sort((a, b) => a.at - b.at);
  }

  async put(item: Item): Promise<void> {
    this.#items.set(item.clientId, item);
  }

  async remove(clientId: string): Promise<void> {
    this.#items.delete(clientId);
  }
}

/** The disk where there is one. */
export async function openStore(): Promise<Store> {
  try {
    const store = new DiskStore();
    await store.all("");
    return store;
  } catch {
    return new MemoryStore();
  }
}

function open(factory: IDBFactory): Promise<IDBDatabase> {
  const request = factory.open(DATABASE, VERSION);
  request.onupgradeneeded = () => request.result.createObjectStore(OUTBOX, { keyPath: "clientId" });
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function committed(transaction: IDBTransaction, request: IDBRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? request.error);
  });
}
