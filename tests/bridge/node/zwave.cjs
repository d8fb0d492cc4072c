// A real zwave-js driver over TCP to zwave-js's own mock server with a lock, behind zwave-js-ui's MQTT API.
// simulated_zwave_js_ui: only the mapping from API calls to the driver is ours (zwave-js-ui docs/guide/mqtt.md, callApi,
// ScheduleService.setSchedule). Driver, frames and lock are zwave-js; the lock refuses a code it already holds.
// In, one JSON line each: {topic, payload} as published, or {fault: "forget" | null}, or {look: user}. Out the same way.
const { mkdtempSync } = require("node:fs");
const { createServer } = require("node:net");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { createInterface } = require("node:readline");
const { Driver } = require("zwave-js");
const { ccCaps } = require("@zwave-js/testing");
const { CommandClasses } = require("@zwave-js/core");
const { UserCodeCCExtendedUserCodeSet, UserCodeCCSet } = require("@zwave-js/cc/UserCodeCC");
const { MockServer } = require(join(__dirname, "node_modules/zwave-js/build/cjs/mockServer.js"));

const NODE = 5;
let fault = null;
let lock = null;

const refusesWhatItHolds = {
  handleCC(_controller, self, cc) {
    const wanted = cc instanceof UserCodeCCExtendedUserCodeSet ? cc.userCodes[0] : cc instanceof UserCodeCCSet ? cc : null;
    if (wanted === null || wanted.userIdStatus === 0) return undefined;
    if (fault === "forget") return { action: "ok" };
    for (let user = 1; user <= 10; user++)
      if (user !== wanted.userId && self.state.get(`UserCode_userCode_${user}`) === wanted.userCode)
        return { action: "fail" };
    return undefined;
  },
};

// TCP joins and cuts what the driver writes; the mock controller wants one frame at a time.
let rest = Buffer.alloc(0);
const framed = {
  onHostData(controller, data) {
    rest = Buffer.concat([rest, Buffer.from(data)]);
    while (rest.length) {
      const size = rest[0] !== 0x01 ? 1 : rest.length > 1 ? rest[1] + 2 : Infinity;
      if (rest.length < size) break;
      void controller.serialOnData(size === 1 ? rest[0] : Uint8Array.from(rest.subarray(0, size)));
      rest = rest.subarray(size);
    }
    return true;
  },
};

const capabilities = {
  txDelay: 1,
  commandClasses: [
    CommandClasses.Version,
    CommandClasses.Supervision,
    CommandClasses["Time Parameters"],
    ccCaps({
      ccId: CommandClasses["User Code"], isSupported: true, version: 2, numUsers: 10,
      supportsAdminCode: false, supportsAdminCodeDeactivation: false, supportsUserCodeChecksum: false,
      supportedUserIDStatuses: [0, 1, 2], supportedKeypadModes: [0], supportedASCIIChars: "0123456789",
    }),
    ccCaps({
      ccId: CommandClasses["Schedule Entry Lock"], isSupported: true, version: 3,
      numWeekDaySlots: 1, numYearDaySlots: 2, numDailyRepeatingSlots: 1,
    }),
  ],
};

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function connect() {
  const port = await freePort();
  const server = new MockServer({
    interface: "127.0.0.1", port,
    config: {
      controller: { behaviors: [framed] },
      nodes: [{ id: NODE, capabilities }],
      onInit: (_controller, nodes) => {
        lock = nodes[0];
        lock.behaviors.unshift(refusesWhatItHolds);
      },
    },
  });
  await server.start();
  server.server.on("connection", (socket) => socket.setNoDelay(true)); // else each frame waits 40 ms for Nagle
  const driver = new Driver(`tcp://127.0.0.1:${port}`, {
    logConfig: { enabled: false },
    storage: { cacheDir: mkdtempSync(join(tmpdir(), "zwave-")), throttle: "fast" },
    features: { softReset: false },
  });
  const ready = new Promise((resolve, reject) => {
    driver.on("error", reject);
    driver.once("driver ready", () => {
      const node = driver.controller.nodes.get(NODE);
      node.ready ? resolve(node) : node.once("ready", () => resolve(node));
    });
  });
  await driver.start();
  return { node: await ready, driver, server };
}

const api = (node) => ({
  async sendCommand(context, command, args) {
    const cc = node.getEndpoint(context.endpoint ?? 0).commandClasses[CommandClasses[context.commandClass]];
    return cc[command](...args);
  },
  // ScheduleService.setSchedule: an object with nothing but the slot deletes; unsupervised results are read back.
  async setSchedule(_node, type, { userId, slotId, enabled: _enabled, ...schedule }) {
    const name = { yearly: "YearDay", weekly: "WeekDay", daily: "DailyRepeating" }[type];
    const cc = node.commandClasses["Schedule Entry Lock"];
    const wanted = Object.keys(schedule).length ? schedule : undefined;
    const result = await cc[`set${name}Schedule`]({ userId, slotId }, wanted);
    if (result) return result;
    const found = await cc[`get${name}Schedule`]({ userId, slotId });
    return { status: JSON.stringify(found || undefined) === JSON.stringify(wanted) ? 255 : 2 };
  },
  async setEnabledSchedule(_node, enabled, userId) {
    return node.commandClasses["Schedule Entry Lock"].setEnabled(enabled, userId);
  },
  async syncNodeDateAndTime() {
    return node.setDateAndTime(new Date());
  },
});

// ZwaveClient.callApi: success says that the call did not throw; Gateway adds the request as `origin`.
async function call(calls, name, payload) {
  try {
    const result = await calls[name](...payload.args);
    return { success: true, message: "Success zwave api call", result, origin: payload };
  } catch (error) {
    return { success: false, message: error.message, origin: payload };
  }
}

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function main() {
  const { node, driver, server } = await connect();
  const calls = api(node);
  say({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const said = JSON.parse(line);
    if ("fault" in said) fault = said.fault;
    if ("look" in said)
      say({ look: { code: lock.state.get(`UserCode_userCode_${said.look}`) ?? null,
                    status: lock.state.get(`UserCode_userIdStatus_${said.look}`) ?? 0,
                    window: lock.state.get(`ScheduleEntryLock_schedule_${said.look}_1_1`) ?? null } });
    if (said.topic) {
      const name = said.topic.split("/").at(-2);
      say({ topic: said.topic.slice(0, -"/set".length), payload: await call(calls, name, JSON.parse(said.payload)) });
    }
  }
  await driver.destroy();
  await server.stop();
  process.exit(0);
}

main().catch((error) => { console.error(error); process.exit(1); });
