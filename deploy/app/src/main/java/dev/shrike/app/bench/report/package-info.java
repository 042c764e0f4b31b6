/** What a bench found, and its forms: JSON, tables, CSV, Markdown and a page with charts. */
package dev.shrike.app.bench.report;
