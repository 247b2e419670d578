// How many connections there may be at once. When one more comes, the one that has been silent longest makes room: a
// refusal would let a hundred idle or slow ones, renewed all the time, keep a supervisor's probe out for good.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export function limitConnections(server: Server, most: number): void {
  /** Those without a request that is being answered, the longest silent first. */
  const silent = new Set<Socket>();
  const answering = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => {
      silent.delete(socket);
      answering.delete(socket);
    });
    if (silent.size + answering.size <= most) return;
    const [oldest] = silent;
    // The newest itself where all others are being answered.
    oldest?.destroy();
  });
  server.on('request', ({ socket }, response) => {
    silent.delete(socket);
    answering.add(socket);
    response.once('close', () => {
      answering.delete(socket);
      if (!socket.destroyed) silent.add(socket);
    });
  });
}
