/**
 * Vitest's JSON report as a list of tests with the ids that stand in brackets at the head of their titles.
 *
 * @typedef {{ ids: string[], rest: string, title: string, file: string, ancestors: string[], status: string }} TitledTest
 */

const HEAD = /^(?:\[[A-Z]{1,2}-\d+\]\s*)+/;

/** @returns {Generator<TitledTest>} */
export function* titledTests(report) {
  for (const file of report.testResults) {
    // An engine that did not start, or an import that broke: Vitest calls the tests skipped, the rows call them red.
    const broken = file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed");
    if (broken && file.assertionResults.length === 0) throw new Error(`${file.name} did not run: ${file.message}`);
    for (const { ancestorTitles, title, status } of file.assertionResults) {
      const head = HEAD.exec(title)?.[0];
      if (head === undefined) continue;
      yield {
        ids: head.match(/[A-Z]{1,2}-\d+/g) ?? [],
        rest: title.slice(head.length),
        title,
        file: file.name,
        ancestors: ancestorTitles,
        status: broken && status === "skipped" ? "failed" : status,
      };
    }
  }
}
