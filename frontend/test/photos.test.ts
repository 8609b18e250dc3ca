import assert from "node:assert/strict";
import { test } from "node:test";
import { inApp, ownAddress } from "../src/inapp.ts";
import { fitted } from "../src/photo.ts";

const ANDROID = "Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/121.0";

test("a browser inside another program is known by what it calls itself", () => {
  const agents: [string, string | null][] = [
    [`${ANDROID} Mobile Safari/537.36 XWEB/1210053 MMWEBSDK/20240301 MicroMessenger/8.0.49 WeChat/arm64`, "wechat"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.48", "wechat"],
    [`${ANDROID} wxwork/4.1.20 MicroMessenger/7.0.1`, "wecom"],
    [`${ANDROID} UWS/5.12.1 AliApp(DingTalk/7.5.10) com.alibaba.android.rimet/32`, "dingtalk"],
    [`${ANDROID} MQQBrowser/6.2 TBS/046714 Mobile Safari/537.36 V1_AND_SQ_9.0.35 QQ/9.0.35.17275`, "qq"],
    [`${ANDROID} Mobile Safari/537.36 Lark/7.14.5`, "feishu"],
    [`${ANDROID} UCBS/3.22 NebulaSDK/1.8.1 AlipayDefined AlipayClient/10.5.86`, "alipay"],
    [`${ANDROID} Mobile Safari/537.36 baiduboxapp/13.57`, "other"],
    [`${ANDROID} Mobile Safari/537.36`, null],
    [`${ANDROID} MQQBrowser/15.1 Mobile Safari/537.36`, null],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1", null],
  ];
  for (const [agent, program] of agents) assert.equal(inApp(agent), program, agent);
});

test("the address to open elsewhere carries nothing of this visit", () => {
  assert.equal(ownAddress("https://xueji.example/learn/1/2?next=%2Fx#at"), "https://xueji.example/learn/1/2");
});

test("a photo is made smaller, keeps its shape, and is never made larger", () => {
  assert.deepEqual(fitted(5_712, 4_284), [1_920, 1_440]);
  assert.deepEqual(fitted(6_120, 8_160), [1_440, 1_920]);
  assert.deepEqual(fitted(640, 480), [640, 480]);
  assert.deepEqual(fitted(20_000, 2), [1_920, 1]);
});
