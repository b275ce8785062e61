// npm `ws`: node server.mjs --port PORT [--mode echo|broadcast] [--deflate no-takeover|takeover]
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    mode: { type: 'string', default: 'echo' },
    deflate: { type: 'string' },
  },
});
const forgets = values.deflate === 'no-takeover';
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(values.port),
  backlog: 4096,
  maxPayload: 64 << 20,
  perMessageDeflate: values.deflate
    ? { threshold: 0, serverNoContextTakeover: forgets, clientNoContextTakeover: forgets }
    : false,
});
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, binary) => {
    if (values.mode === 'echo') {
      socket.send(data, { binary });
      return;
    }
    for (const other of server.clients) {
      if (other !== socket) other.send(data, { binary });
    }
  });
});
