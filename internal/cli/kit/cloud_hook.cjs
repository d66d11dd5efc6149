'use strict';
// Loaded into Node.js by "partnerguard cloud exec", because its fetch and many
// clients know no proxy variables: a TLS connection to a host that the partner
// cloud plays goes to its listener by server name, any other that would leave
// this machine is refused. Certificates are checked as ever, against
// NODE_EXTRA_CA_CERTS.
const net = require('net');
const tls = require('tls');

const known = new Set((process.env.PARTNERGUARD_CLOUD_HOSTS || '').split(',').filter(Boolean));
const listener = /^\[?([^\]]+?)\]?:(\d+)$/.exec(process.env.PARTNERGUARD_CLOUD_SNI || '');

const canonical = (host) => String(host).toLowerCase().replace(/^\[|\]$/g, '').replace(/\.$/, '');

const loopback = (host) =>
  host === '' || host === 'localhost' || host.endsWith('.localhost') ||
  (net.isIPv4(host) && host.startsWith('127.')) ||
  host === '::1' || /^::ffff:127\.\d+\.\d+\.\d+$/.test(host);

const hostOf = (options) => canonical(options.host === undefined || options.host === null ? '' : options.host);

const refuse = (socket, host) => {
  const err = new Error(`refused: ${host} is not part of the partner cloud; nothing leaves this machine`);
  err.code = 'ECONNREFUSED';
  err.syscall = 'connect';
  err.hostname = host;
  socket.connecting = true; // as a socket on its way, until the refusal arrives
  process.nextTick(() => socket.destroy(err));
  return socket;
};

if (listener && typeof net._normalizeArgs === 'function') {
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const [options, done] = Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args);
    if (!options || options.path) return connect.apply(this, args); // a pipe of this machine
    const host = hostOf(options);
    if (loopback(host)) return connect.apply(this, args);
    if (!known.has(host) || (Number(options.port) === 80 && !(this instanceof tls.TLSSocket))) return refuse(this, host);
    const there = Object.assign({}, options, {
      host: listener[1], port: Number(listener[2]), lookup: undefined, family: undefined, localAddress: undefined, localPort: undefined, autoSelectFamily: false,
    });
    return done ? connect.call(this, there, done) : connect.call(this, there);
  };

  // Node sends a server name only when it is told one; ours must know whom the
  // client means.
  const secure = tls.connect;
  tls.connect = function (...args) {
    const at = args.findIndex((a) => a !== null && typeof a === 'object');
    const host = canonical((at >= 0 && args[at].host) || (typeof args[1] === 'string' && args[1]) || '');
    if (known.has(host)) {
      if (at < 0) args.splice(typeof args[args.length - 1] === 'function' ? args.length - 1 : args.length, 0, { servername: host });
      else if (!args[at].servername && !args[at].socket) args[at] = Object.assign({}, args[at], { servername: host });
    }
    return secure.apply(this, args);
  };
}
