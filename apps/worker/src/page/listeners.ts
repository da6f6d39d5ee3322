/** Those who wait for news of the page, over server-sent events. */
export interface Listeners {
  /** A stream of events; `null` where too many are open already. */
  open(): ReadableStream<Uint8Array> | null;
  /** Something changed. What changes within a moment is told once. */
  tell(): void;
  close(): void;
}

const mostListeners = 24;
const heartbeatMs = 20_000;
const momentMs = 200;
/** News that somebody has not taken yet; who takes none at all is let go. */
const mostWaiting = 64;

export function createListeners(): Listeners {
  const encoder = new TextEncoder();
  const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  // Runs only while somebody listens: a page that nobody looks at wakes nothing.
  let heart: NodeJS.Timeout | undefined;
  let news: NodeJS.Timeout | undefined;

  function drop(stream: ReadableStreamDefaultController<Uint8Array>): void {
    streams.delete(stream);
    if (streams.size === 0) {
      clearInterval(heart);
      clearTimeout(news);
      heart = undefined;
      news = undefined;
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
      if (streams.size === 0) return;
      news ??= setTimeout(() => {
        news = undefined;
        send("event: changed\ndata:\n\n");
      }, momentMs).unref();
    },
    close() {
      for (const stream of streams) {
        drop(stream);
        stream.close();
      }
    },
  };
}
