package observe

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"partnerguard/internal/problem"
)

// name is what our spans are made by.
const name = "partnerguard"

// maxText bounds a text in a span, in characters.
const maxText = 200

// Trace switches traces on where the settings or the environment name a collector,
// for the whole process; end sends what waits, for five seconds at most, and switches
// them off. A collector that is away costs nothing but a line of the log.
func Trace(ctx context.Context, c Config, version string, getenv func(string) string, log *slog.Logger) (end func() error, err error) {
	var o []otlptracehttp.Option
	switch {
	case c.Traces != "":
		u, err := url.Parse(c.Traces)
		if err != nil {
			return nil, problem.New(problem.Usage, "the setting traces is no address")
		}
		if strings.Trim(u.Path, "/") == "" {
			u.Path = "/v1/traces"
		}
		o = append(o, otlptracehttp.WithEndpointURL(u.String()))
	case getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "", getenv("OTEL_SDK_DISABLED") == "true":
		return func() error { return nil }, nil
	}
	to, err := otlptracehttp.New(ctx, o...)
	if err != nil {
		return nil, problem.Wrap(err, problem.Usage, "traces cannot be sent to where the settings say").
			WithHint("look at the setting traces, or at OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces are not taken", "error", err) }))
	return traceTo(sdk.NewBatchSpanProcessor(to), version), nil
}

// traceTo has spans go to a processor.
func traceTo(p sdk.SpanProcessor, version string) (end func() error) {
	limits := sdk.NewSpanLimits()
	limits.AttributeCountLimit, limits.AttributeValueLengthLimit, limits.EventCountLimit, limits.LinkCountLimit = 16, 4*maxText, 4, 4
	said := resource.NewSchemaless(attribute.String("service.name", name), attribute.String("service.version", Text(version)))
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(p), sdk.WithRawSpanLimits(limits), sdk.WithResource(said))
	otel.SetTracerProvider(provider)
	return func() error {
		otel.SetTracerProvider(noop.NewTracerProvider())
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		_ = provider.Shutdown(ctx) // what a collector does not take is no error of the work
		return nil
	}
}

// Span is something under way. The zero value is nothing, and may be ended.
type Span struct{ of trace.Span }

// maxBelow bounds the spans of transactions within one request or job.
const maxBelow = 64

type keyBelow struct{}

// Start begins a span of a request that is answered or a job that is done: kind is
// "server" or "job". Pairs are names and values. End it.
func Start(ctx context.Context, kind, what string, pairs ...string) (context.Context, Span) {
	as := trace.SpanKindInternal
	switch kind {
	case "server":
		as = trace.SpanKindServer
	case "job":
		as = trace.SpanKindConsumer
	}
	ctx, s := otel.Tracer(name).Start(ctx, Text(what), trace.WithSpanKind(as))
	if !s.IsRecording() {
		return ctx, Span{}
	}
	s.SetAttributes(texts(pairs)...)
	return context.WithValue(ctx, keyBelow{}, new(atomic.Int32)), Span{s}
}

// Below begins a span within another one, where that is recorded and has not had
// very many; else nothing.
func Below(ctx context.Context, what string) (context.Context, Span) {
	n, ok := ctx.Value(keyBelow{}).(*atomic.Int32)
	if !ok || n.Add(1) > maxBelow {
		return ctx, Span{}
	}
	ctx, s := otel.Tracer(name).Start(ctx, Text(what))
	return ctx, Span{s}
}

// Say adds pairs of names and values.
func (s Span) Say(pairs ...string) {
	if s.of != nil {
		s.of.SetAttributes(texts(pairs)...)
	}
}

// End ends it; outcome is a fixed word.
func (s Span) End(outcome string, failed bool) {
	if s.of == nil {
		return
	}
	s.of.SetAttributes(attribute.String("outcome", Text(outcome)))
	if failed {
		s.of.SetStatus(codes.Error, Text(outcome))
	}
	s.of.End()
}

// Route is End of a request that is answered: which route it was is known only then.
func (s Span) Route(route, class string, failed bool) {
	if s.of == nil {
		return
	}
	s.of.SetName(Text(route))
	s.of.SetAttributes(attribute.String("http.route", Text(route)))
	s.End(class, failed)
}

func texts(pairs []string) (list []attribute.KeyValue) {
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, attribute.String(pairs[i], Text(pairs[i+1])))
	}
	return list
}

// Text makes a text safe in a span, or in a line of a log: what does not print is
// escaped as Go does it, and it ends in "…" after 200 characters.
func Text(s string) string {
	cut := false
	if utf8.RuneCountInString(s) > maxText {
		n := 0
		for i := range s {
			if n == maxText {
				s, cut = s[:i], true
				break
			}
			n++
		}
	}
	q := strconv.Quote(s)
	q = strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
	if cut {
		q += "…"
	}
	return q
}

// From takes up the trace of who asks, by a well formed traceparent and nothing else
// of what came.
func From(ctx context.Context, h http.Header) context.Context {
	v := h.Get("Traceparent")
	if v == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": v})
}
