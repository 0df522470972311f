import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What Node keeps of a connection, without a name in its API; `gateway-upgrades.e2e-spec.ts` tells if it no longer does. */
interface NodeSocket {
  /** The answer that is being given on it. */
  _httpMessage?: ServerResponse | null;
  /** Reading goes on once answers have flowed off; unread bytes would be lost in it. */
  _paused?: boolean;
}

/**
 * Looks after a connection that Node's server has let go of, for a change of protocol was asked for on it: answers to what was asked
 * before are still given there, but nobody tells these that it takes more, nor sees that the client has left.
 * @param next is called when those answers are over, at once where there are none; never where the connection ends with them
 */
export function letGo(socket: Socket, next: () => void): void {
  (socket as NodeSocket)._paused = false;
  socket.on('error', () => socket.destroy()).on('drain', () => answerOn(socket)?.emit('drain'));
  // Nobody reads from it before there is a tunnel: without a look ahead nobody would see that the client has left.
  socket.once('end', () => answerOn(socket) && socket.destroy()).read(0);
  afterAnswers(socket, next);
}

/** An answer on a connection that Node's server has let go of, and on which nothing else is answered; it is the last there. */
export function lastAnswer(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => {
    response.detachSocket(socket);
    socket.destroySoon();
    response.emit('close');
  });
  return response;
}

/** One after the other: which answer is the last is known only when it is over. */
function afterAnswers(socket: Socket, next: () => void): void {
  if (!socket.writable) return;
  const answer = answerOn(socket);
  if (answer) {
    answer.once('close', () => afterAnswers(socket, next));
    return;
  }
  socket.setTimeout(0); // Node gives a connection on which nothing is answered so long to ask again
  next();
}

const answerOn = (socket: Socket): ServerResponse | null => (socket as NodeSocket)._httpMessage ?? null;
