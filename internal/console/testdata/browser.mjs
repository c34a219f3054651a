// Drives a real browser through the console and prints what it saw as JSON.
// Usage: node browser.mjs BASE TOKEN CHROMIUM
import { createRequire } from 'node:module';
const require = createRequire(process.env.CONGTHU_NODE + '/');
const { chromium } = require('playwright-core');

const [base, token, executablePath] = process.argv.slice(2);
const seen = { requests: [], dialogs: [], errors: [], pages: {} };
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'vi-VN' });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on('request', r => seen.requests.push(r.url()));
  page.on('dialog', d => { seen.dialogs.push(d.message()); d.dismiss(); });
  page.on('pageerror', e => seen.errors.push(String(e)));
  const note = async name => {
    seen.pages[name] = {
      url: page.url().slice(base.length),
      title: await page.title(),
      text: await page.innerText('body'),
      elements: await page.$$eval('*', all => [...new Set(all.map(e => e.tagName.toLowerCase()))].sort()),
      ran: await page.evaluate(() => Boolean(window.owned)),
      overflow: await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1),
    };
  };
  await page.goto(base + '/quarantine');
  await note('signed out');
  await page.fill('#token', 'ct_wrong');
  await page.click('main button');
  await note('wrong token');
  await page.fill('#token', token);
  await page.click('main button');
  await note('list');
  const links = await page.$$eval('tbody a', all => all.map(a => a.getAttribute('href')));
  for (const [n, href] of links.entries()) {
    await page.goto(base + href);
    await note('message ' + n);
    await page.goto(base + href + '/explain');
    await note('explain ' + n);
  }
  await page.goto(base + '/queue');
  await note('queue');
  await page.goto(base + '/day');
  await note('day');
  await page.click('button[name=lang]');
  await note('english');
  await page.goto(base + links[0]);
  await page.click('button[value=release]');
  await note('released');
  await page.check('tbody input[type=checkbox] >> nth=0');
  await page.click('button[value=delete]');
  await note('confirm');
  await page.click('main button[value=delete]');
  await note('deleted');
  await page.setViewportSize({ width: 360, height: 640 });
  await page.goto(base + links[links.length - 1]);
  await note('narrow');
  await page.click('form[action="/logout"] button');
  await note('signed off');
  seen.cookies = (await context.cookies()).map(c => ({ name: c.name, httpOnly: c.httpOnly, secure: c.secure, sameSite: c.sameSite }));
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
