package io.farblock.browser;

import java.util.List;
import java.util.Map;

/**
 * A value on the page.
 *
 * @param isFigure whether the page has worked it out, else it is a field of the answer
 * @param name where it comes from
 * @param unit how it is said
 * @param raw exactly
 * @param text what is read
 */
record Shown(boolean isFigure, String name, String unit, String raw, String text) {
    /** All values that are seen, and what moments they are of; in one go, so that no answer comes between. */
    static final String ALL = """
            const main = document.querySelector('main');
            return {
              uptimeNanos: main.dataset.uptimeNanos,
              previousUptimeNanos: main.dataset.previousUptimeNanos ?? '',
              values: [...document.querySelectorAll('[data-field], [data-figure]')]
                  .filter((node) => node.checkVisibility()).map((node) => ({
                isFigure: node.dataset.figure !== undefined,
                name: node.dataset.figure ?? node.dataset.field,
                unit: node.dataset.unit ?? 'text',
                raw: node.dataset.raw,
                text: node.textContent,
              })),
            };""";

    /** Text with digits of which nobody can say where they come from. */
    static final String STRAY_DIGITS = """
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            const strays = [];
            while (walker.nextNode()) {
              const node = walker.currentNode;
              if (/[0-9]/.test(node.data)
                  && !node.parentElement.closest('[data-field], [data-figure], [data-scale], [data-name], noscript')) {
                strays.push(node.parentElement.outerHTML);
              }
            }
            return strays;""";

    /** Those of one moment. */
    record Moment(long uptimeNanos, Long previousUptimeNanos, List<Shown> values) {}

    static Moment moment(Chromium browser) {
        Map<?, ?> result = (Map<?, ?>) browser.run(ALL);
        String previous = (String) result.get("previousUptimeNanos");
        List<Shown> values = ((List<?>) result.get("values"))
                .stream().map(value -> of((Map<?, ?>) value)).toList();
        return new Moment(
                Long.parseLong((String) result.get("uptimeNanos")),
                previous.isEmpty() ? null : Long.valueOf(previous),
                values);
    }

    private static Shown of(Map<?, ?> value) {
        return new Shown(
                (Boolean) value.get("isFigure"),
                (String) value.get("name"),
                (String) value.get("unit"),
                (String) value.get("raw"),
                (String) value.get("text"));
    }
}
