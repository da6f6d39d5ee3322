import { PfCommand } from "../../command.js";

export default class QueueStatus extends PfCommand {
  static override summary = "Show the research queue: runs, workers, memory.";
  static override description =
    "The queue is the Redis of research.queue, which searches use with research.executor: bullmq. Runs whose command is gone are removed.";
  static override examples = [
    "<%= config.bin %> queue status --set research.queue=redis://127.0.0.1:6379",
    "<%= config.bin %> queue status --json",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(QueueStatus);
    await this.serve(
      flags,
      (services) => services.queueStatus(),
      (outcome) => outcome,
      async (outcome, style) => (await import("../../render/queue.js")).renderQueue(outcome, style),
    );
  }
}
