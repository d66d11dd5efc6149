package partnercloud

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"partnerguard/internal/partnercloud/mail"
	"partnerguard/internal/partnercloud/stamp"
	"partnerguard/internal/problem"
)

// Extras listen only when they are asked for; what is not costs nothing.

// mailPorts and stampPorts are how many ports they take.
const (
	mailPorts  = 3
	stampPorts = 1
)

// extraPorts are those besides the eight.
func (o *Options) extraPorts() int {
	n := 0
	if o.Mail {
		n += mailPorts
	}
	if o.Stamp {
		n += stampPorts
	}
	return n
}

// serveExtras starts what was asked for beside the services.
func (s *Server) serveExtras(o Options, config *tls.Config, host string) error {
	next := maxPorts
	at := func(l net.Listener) string {
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return net.JoinHostPort(host, port)
	}
	if o.Mail {
		ports := s.ports[next : next+mailPorts]
		next += mailPorts
		m := mail.New(mail.Deps{World: s.World, Keys: s.Keys, TLS: config.Clone(), Log: s.log})
		s.cleanup = append(s.cleanup, m.Close)
		s.info.Mail = &MailInfo{SMTP: at(ports[0]), IMAP: at(ports[1]), POP: at(ports[2])}
		s.run(func() error { return m.ServeSMTP(ports[0]) })
		s.run(func() error { return m.ServeIMAP(ports[1]) })
		s.run(func() error { return m.ServePOP(ports[2]) })
	}
	if !o.Stamp {
		return nil
	}
	a, err := stamp.New(stamp.Options{Now: s.World.Clock.Now})
	if err != nil {
		return problem.Wrap(err, problem.Limit, "the time stamping authority could not be made")
	}
	root := filepath.Join(filepath.Dir(s.info.CAFile), "time-stamp-root.pem")
	if err := os.WriteFile(root, a.PEM(), 0o600); err != nil {
		return problem.Wrap(err, problem.Limit, "the root of the time stamps could not be written")
	}
	l := s.ports[next]
	s.info.Stamp = &StampInfo{URL: "http://" + at(l) + "/", RootFile: root}
	srv := &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	s.servers = append(s.servers, srv)
	s.run(func() error { return srv.Serve(l) })
	return nil
}
