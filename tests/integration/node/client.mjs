// Reads a channel of the sandbox with somebody else's client and tells what it understood, as JSON.
// node client.mjs tmi|twurple HOST PORT CHANNEL SECONDS

const [kind, host, port, channel, seconds] = process.argv.slice(2);
const seen = { joins: [], messages: [], events: [] };
const note = (name, fields) => seen.events.push({ name, ...fields });

async function tmi() {
  const { default: { Client } } = await import('tmi.js');
  const client = new Client({
    options: { debug: false, skipUpdatingEmotesets: true },
    connection: { server: host, port: Number(port), secure: false, reconnect: false },
    channels: [channel],
  });
  client.on('join', (name, user, self) => self && seen.joins.push(name));
  client.on('message', (name, tags, text) =>
    seen.messages.push({ id: tags.id, user: tags.username, userId: tags['user-id'], text, emotes: tags.emotes }));
  client.on('subscription', (name, user) => note('sub', { user }));
  client.on('resub', (name, user, streak, text, tags) => note('resub', { user, months: tags['msg-param-cumulative-months'] }));
  client.on('subgift', (name, user, streak, recipient) => note('subgift', { user, recipient }));
  client.on('submysterygift', (name, user, count) => note('submysterygift', { user, count }));
  client.on('raided', (name, user, count) => note('raid', { user, count }));
  await client.connect();
  return () => client.disconnect();
}

async function twurple() {
  const { ChatClient } = await import('@twurple/chat');
  // The port can't be set: it builds ws://HOST:80, so the port goes into the host.
  const client = new ChatClient({ hostName: `${host}:${port}/irc?`, ssl: false, channels: [channel], rejoinChannelsOnReconnect: true });
  client.onJoin((name) => seen.joins.push(name));
  client.onMessage((name, user, text, message) =>
    seen.messages.push({
      id: message.id, user, userId: message.userInfo.userId, text,
      emotes: Object.fromEntries(message.emoteOffsets),
    }));
  client.onSub((name, user, info) => note('sub', { user: info.displayName }));
  client.onResub((name, user, info) => note('resub', { user: info.displayName, months: info.months }));
  client.onSubGift((name, user, info) => note('subgift', { user: info.gifterDisplayName, recipient: info.displayName }));
  client.onCommunitySub((name, user, info) => note('submysterygift', { user: info.gifterDisplayName, count: info.count }));
  client.onRaid((name, user, info) => note('raid', { user: info.displayName, count: info.viewerCount }));
  client.connect();
  return () => client.quit();
}

const stop = await (kind === 'tmi' ? tmi() : twurple());
setTimeout(async () => {
  await stop();
  process.stdout.write(JSON.stringify(seen), () => process.exit(0));
}, Number(seconds) * 1000);
