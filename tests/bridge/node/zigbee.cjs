// The real converters (zigbee-herdsman-converters) and ZCL encoder (zigbee-herdsman) of zigbee2mqtt, before a lock that
// keeps codes in memory. simulated_zigbee2mqtt: ours are only the hand-over (what zigbee2mqtt's publish and receive
// extensions do: one converter per key; state cached and published whole) and the lock's memory.
// In, one JSON line each: {topic, payload}, {fault: "refuse" | "silent" | "forget" | null}, {disables: user} for what is
// done at its keypad, {event: {...}} for what the lock tells by itself. Out: {topic, payload} as published, {frame: hex} for each frame sent, {error} for a refusal.
const { createInterface } = require("node:readline");
const { Zcl } = require("zigbee-herdsman");
const { findByDevice } = require("zigbee-herdsman-converters");

const DOOR_LOCK = Zcl.Clusters.closuresDoorLock.ID;
const codes = new Map();
const disabled = new Set();
const cached = {};
let fault = null;
let sequence = 0;

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// Frame out: encoded by herdsman and parsed back, so that the lock sees what would have gone over the air.
function encoded(direction, command, payload) {
  const to = direction === Zcl.Direction.CLIENT_TO_SERVER;
  const frame = Zcl.Frame.create(Zcl.FrameType.SPECIFIC, direction, true, undefined, ++sequence & 0xff, command, DOOR_LOCK, payload, {});
  const octets = frame.toBuffer();
  if (to) say({ frame: octets.toString("hex"), command });
  return Zcl.Frame.fromBuffer(DOOR_LOCK, Zcl.Header.fromBuffer(octets), octets, {}).payload;
}

const endpoint = (definition, device) => {
  const self = {
    ID: 1,
    getDevice: () => device,
    supportsInputCluster: () => true,
    deviceIeeeAddress: device.ieeeAddr,
    async command(_cluster, command, payload) {
      const heard = encoded(Zcl.Direction.CLIENT_TO_SERVER, command, payload);
      await answer(definition, self, command, heard);
    },
    async read() {},
  };
  return self;
};

async function answer(definition, entity, command, { userid, userstatus, usertype, pincodevalue }) {
  if (fault === "silent") return;
  if (command === "setPinCode") {
    const pin = pincodevalue.toString();
    const taken = [...codes].some(([user, code]) => user !== userid && code === pin);
    const status = fault === "refuse" ? 1 : taken ? 3 : 0;
    if (status === 0 && fault !== "forget") { codes.set(userid, pin); disabled.delete(userid); }
    await told(definition, entity, "setPinCodeRsp", { status });
  } else if (command === "clearPinCode") {
    if (fault !== "forget") codes.delete(userid);
    await told(definition, entity, "clearPinCodeRsp", { status: fault === "refuse" ? 1 : 0 });
  } else if (command === "getPinCode") {
    const pin = codes.get(userid);
    const reply = { userid, userstatus: pin === undefined ? 0 : disabled.has(userid) ? 3 : 1, usertype: usertype ?? 0, pincodevalue: pin ?? "" };
    await told(definition, entity, "getPinCodeRsp", reply);
  } else if (command === "lockDoor" || command === "unlockDoor") {
    await told(definition, entity, null, { lockState: command === "lockDoor" ? 1 : 2 });
  }
  void userstatus;
}

// What zigbee2mqtt's receive extension does: every fitting converter, results merged into the cached state.
async function told(definition, entity, command, data) {
  const parsed = command === null ? data : encoded(Zcl.Direction.SERVER_TO_CLIENT, command, data);
  const type = command === null ? "attributeReport" : `command${command[0].toUpperCase()}${command.slice(1)}`;
  const message = { type, cluster: "closuresDoorLock", data: parsed, endpoint: entity, device: entity.getDevice(), meta: {}, linkquality: 99 };
  const news = {};
  for (const converter of definition.fromZigbee) {
    const types = [].concat(converter.type);
    if (converter.cluster !== "closuresDoorLock" || !types.includes(type)) continue;
    Object.assign(news, (await converter.convert(definition, message, () => {}, {}, { state: cached, device: entity.getDevice() })) ?? {});
  }
  if (!Object.keys(news).length) return;
  const { users, ...rest } = news;
  if (users) cached.users = { ...cached.users, ...users };
  Object.assign(cached, rest);
  say({ topic: "zigbee2mqtt/entrance", payload: { ...cached, linkquality: 99 } });
  delete cached.action;
}

// What zigbee2mqtt's publish extension does with a message on .../set or .../get.
async function published(definition, entity, topic, payload) {
  const isGet = topic.endsWith("/get");
  for (const [key, value] of Object.entries(payload)) {
    const converter = definition.toZigbee.find((each) => each.key?.includes(key));
    if (!converter) { say({ error: `no converter for ${key}` }); continue; }
    const meta = { message: payload, mapped: definition, options: {}, state: cached, device: entity.getDevice(), logger: console };
    try {
      if (isGet) await converter.convertGet(entity, key, meta);
      else await converter.convertSet(entity, key, value, meta);
    } catch (error) {
      say({ error: error.message });
    }
  }
}

async function main() {
  const device = { type: "EndDevice", modelID: process.argv[2] ?? "YRD226/246 TSDB", ieeeAddr: "0x0001", endpoints: [], getEndpoint: () => entity, customClusters: {} };
  const definition = await findByDevice(device);
  const entity = endpoint(definition, device);
  device.endpoints.push(entity);
  say({ ready: true, model: definition.model, slots: definition.meta?.pinCodeCount });
  for await (const line of createInterface({ input: process.stdin })) {
    const said = JSON.parse(line);
    if ("fault" in said) fault = said.fault;
    if (said.event) await told(definition, entity, said.event.command, said.event.data);
    if (said.disables) disabled.add(said.disables);
    if (said.holds) codes.set(...said.holds);
    if (said.topic) await published(definition, entity, said.topic, JSON.parse(said.payload));
    say({ done: true });
  }
  process.exit(0);
}

main().catch((error) => { console.error(error); process.exit(1); });
