// A letter written in Firefox by clicks and keys, with the page's script and without it.
// (Firefox for desktops takes no touch from WebDriver BiDi.)

import puppeteer from "puppeteer-core";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { url, browser: executablePath, tag, typed } = JSON.parse(Buffer.concat(chunks));

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  headless: true,
  extraPrefsFirefox: { "intl.accept_languages": tag },
});

/** The fields that are seen, by their names. */
const fields = async (page) => {
  const found = await page.$$(".letter input, .letter textarea");
  const seen = [];
  for (const field of found) if (await field.isVisible()) seen.push(field);
  return seen;
};

const values = async (page) => {
  const found = {};
  for (const field of await fields(page)) {
    const [name, value] = await field.evaluate((one) => [one.name, one.value]);
    found[name] = value;
  }
  return found;
};

const press = async (page, selector) => {
  await Promise.all([page.waitForNavigation(), page.locator(selector).click()]);
};

const answers = [];
for (const script of [true, false]) {
  const page = await browser.newPage();
  await page.setViewport({ width: 360, height: 740 });
  if (!script) {
    await page.setRequestInterception(true);
    // What the browser does not hold back, such as its icon, goes on by itself.
    page.on("request", (request) =>
      (/\/assets\/.*\.js$/.test(request.url()) ? request.abort() : request.continue()).catch(
        () => {},
      ),
    );
  }
  await page.goto(url);
  await press(page, ".to-letter a");
  await (await page.$("label:has(#about-daughter)")).click();
  for (const field of await fields(page)) {
    await field.click();
    await page.keyboard.type(typed[await field.evaluate((one) => one.name)]);
  }
  const answer = { script, typed: await values(page) };
  if (script) {
    await page.reload();
    answer.kept = await values(page);
    const mail = await page.$eval("#mail", (one) => one.href);
    answer.body = new URL(mail).searchParams.get("body");
  }
  await press(page, "button[value=print]");
  answer.printed = await page.$eval(".letter", (one) => one.innerText);
  await page.goBack();
  await press(page, "button[value=text]");
  answer.text = await page.evaluate(() => document.body.innerText);
  answers.push(answer);
  await page.close();
}
await browser.close();
process.stdout.write(JSON.stringify(answers));
