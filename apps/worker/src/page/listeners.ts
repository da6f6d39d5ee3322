/** Those who wait for news of the page, over server-sent events. */
export interface Listeners {
  /** A stream of events; `null` where too many are open already. */
  open(): ReadableStream<Uint8Array> | null;
  /** Something changed. */
  tell(): void;
  close(): void;
  readonly count: number;
}

const mostListeners = 24;
const heartbeatMs = 20_000;
/** News that somebody has not taken yet; who takes none at all is let go. */
const mostWaiting = 64;

export function createListeners(): Listeners {
  const encoder = new TextEncoder();
  const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  // Runs only while somebody listens: a page that nobody looks at wakes nothing.
  let heart: NodeJS.Timeout | undefined;

  function drop(stream: ReadableStreamDefaultController<Uint8Array>): void {
    streams.delete(stream);
    if (streams.size === 0) {
      clearInterval(heart);
      heart = undefined;
    }
  }

  function send(text: string): void {
    const bytes = encoder.encode(text);
    for (const stream of streams) {
      if ((stream.desiredSize ?? 0) <= -mostWaiting) {
        drop(stream);
        stream.error(new Error("nobody reads this stream"));
      } else stream.enqueue(bytes);
    }
  }

  return {
    open() {
      if (streams.size >= mostListeners) return null;
      let mine: ReadableStreamDefaultController<Uint8Array>;
      return new ReadableStream<Uint8Array>({
        start(controller) {
          mine = controller;
          streams.add(controller);
          heart ??= setInterval(() => send(": still here\n\n"), heartbeatMs).unref();
          // Whoever lost the connection comes back after so many milliseconds.
          controller.enqueue(encoder.encode("retry: 3000\nevent: hello\ndata:\n\n"));
        },
        cancel() {
          drop(mine);
        },
      });
    },
    tell() {
      send("event: changed\ndata:\n\n");
    },
    close() {
      for (const stream of streams) {
        drop(stream);
        stream.close();
      }
    },
    get count() {
      return streams.size;
    },
  };
}
