package kit

import (
	"bytes"
	"context"
	"io"

	"partnerguard/internal/page/paper"
	"partnerguard/internal/problem"
)

// browserVar names the browser that prints a PDF.
const browserVar = "PARTNERGUARD_BROWSER"

// PDF is the form "pdf" of an answer that has a page. It is refused at a
// terminal, which can show no PDF.
func (o *Output) PDF(ctx context.Context, env *Env, html func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		if _, tty := Terminal(env.Stdout); tty && (o.File == "" || o.File == "-") {
			return problem.New(problem.Usage, "a PDF cannot be shown at a terminal").WithHint("add --out report.pdf")
		}
		browser, err := paper.Browser(env.Getenv(browserVar))
		if err != nil {
			return err
		}
		var page bytes.Buffer
		if err := html(&page); err != nil {
			return err
		}
		bar := NewProgress(env, "printing")
		defer bar.Done()
		return paper.Print(ctx, w, browser, page.Bytes())
	}
}
