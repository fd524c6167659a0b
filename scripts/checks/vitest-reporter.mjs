/**
 * A Vitest reporter that writes what the closing line needs: counts, failures, skips with reasons.
 *
 * Also prints a line per finished file, so that a long run shows where it is. The file to write is
 * named by ISOPY_REPORT.
 */
import fs from "node:fs";

export default class TallyReporter {
  onTestModuleEnd(module) {
    const states = [...module.children.allTests()].map((test) => test.result().state);
    const failed = states.filter((state) => state === "failed").length;
    const skipped = states.filter((state) => state === "skipped").length;
    const ms = Math.round(module.diagnostic().duration);
    const mark = module.state() === "failed" ? "FAILED" : "ok    ";
    console.log(
      `    ${mark} ${module.project.name} ${module.relativeModuleId}: ${states.length} tests${failed ? `, ${failed} failed` : ""}${skipped ? `, ${skipped} skipped` : ""} (${ms} ms)`,
    );
  }

  onTestCaseResult(test) {
    if (test.diagnostic()?.flaky) console.log(`    AGAIN  ${test.module.relativeModuleId} > ${test.fullName}: passed at the second try`);
  }

  onTestRunEnd(modules, unhandledErrors) {
    const result = { passed: 0, failed: [], skipped: [] };
    for (const module of modules) {
      const where = `${module.project.name} ${module.relativeModuleId}`;
      for (const error of module.errors()) result.failed.push({ name: where, reason: text(error) });
      let tests = 0;
      for (const test of module.children.allTests()) {
        tests++;
        const { state, errors = [], note } = test.result();
        const name = `${where} > ${test.fullName}`;
        if (state === "passed") result.passed++;
        else if (state === "failed") result.failed.push({ name, reason: errors.map(text).join("\n") });
        else result.skipped.push({ name, reason: note ?? (test.options.mode === "todo" ? "to be written" : "marked to be skipped") });
      }
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) result.failed.push({ name: `${where} > ${suite.fullName}`, reason: text(error) });
      }
      if (tests === 0 && module.errors().length === 0) result.failed.push({ name: where, reason: "The file holds no test." });
    }
    for (const error of unhandledErrors) result.failed.push({ name: "an error outside of any test", reason: text(error) });
    fs.writeFileSync(process.env.ISOPY_REPORT, JSON.stringify(result));
  }
}

function text(error) {
  const stack = (error.stacks ?? []).slice(0, 3).map((frame) => `at ${frame.file}:${frame.line}:${frame.column}`);
  return [`${error.name ?? "Error"}: ${error.message}`, error.diff ?? "", ...stack].filter(Boolean).join("\n").slice(0, 2500);
}
