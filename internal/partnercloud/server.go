package partnercloud

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/arm"
	"partnerguard/internal/partnercloud/authority"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/ca"
	"partnerguard/internal/partnercloud/center"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/graph"
	"partnerguard/internal/partnercloud/keyvault"
	"partnerguard/internal/partnercloud/portal"
	"partnerguard/internal/partnercloud/proxy"
	"partnerguard/internal/partnercloud/retired"
	"partnerguard/internal/partnercloud/scenario"
	"partnerguard/internal/partnercloud/story"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// Banner is what the cloud says of itself wherever it can.
const Banner = "Partner cloud: local, not Microsoft. Invented people; nothing leaves this machine."

// hosts are the production names each service answers for.
func hosts() map[string][]string {
	return map[string][]string{
		gate.Login:   entra.AuthorityHosts(),
		gate.Graph:   entra.GraphHosts(),
		gate.Center:  entra.CenterHosts(),
		gate.ARM:     entra.ARMHosts(),
		gate.Portal:  {entra.PartnerHost, entra.M365AdminHost},
		gate.Vault:   {keyvault.Host},
		gate.Retired: retired.Hosts(),
	}
}

// Hosts are the production names that the partner cloud answers for.
func Hosts() []string {
	var out []string
	for _, name := range order {
		out = append(out, hosts()[name]...)
	}
	return slices.Concat(out, hosts()[gate.Vault], hosts()[gate.Retired])
}

// order is which service has which of the ports in a row. The key vault has
// none: its client insists on the production name.
var order = []string{gate.Login, gate.Graph, gate.Center, gate.ARM, gate.Portal}

// Server is a running partner cloud. Safe for concurrent use.
type Server struct {
	World *world.World
	Keys  *bearer.Keys
	Gate  *gate.Gate
	CA    *ca.Authority

	log      *slog.Logger
	info     Info
	scenario *scenario.Scenario
	fresh    bool                    // the world is new, not loaded
	services map[string]http.Handler // behind the gate
	center   *center.Center
	director *story.Director
	keeper   *keeper
	ports    []net.Listener
	servers  []*http.Server
	proxy    *proxy.Proxy
	inner    *inside
	cleanup  []func() error
	failed   chan error

	once sync.Once // guards closing
	done chan struct{}
	err  error
}

// Start brings a partner cloud up and returns when every port listens. Close
// ends it; so does the end of ctx.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Listen = cmp.Or(o.Listen, "127.0.0.1")
	if err := checkHost(o.Listen, o.ForceListen); err != nil {
		return nil, err
	}
	if most := 65535 - maxPorts - o.extraPorts(); o.Port < 0 || o.Port > most {
		return nil, problem.New(problem.Usage, "port %d is out of range", o.Port).
			WithHint("eight ports in a row are used: choose one between 1024 and %d, or 0 for any", most)
	}
	s := &Server{log: o.Log, done: make(chan struct{}), failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			s.shut(context.Background())
		}
	}()
	if err := s.openWorld(o); err != nil {
		return nil, err
	}
	if err := s.openCA(o); err != nil {
		return nil, err
	}
	if err := s.listen(o); err != nil {
		return nil, err
	}
	if err := s.compose(o); err != nil {
		return nil, err
	}
	if err := s.serve(o); err != nil {
		return nil, err
	}
	s.describe()
	context.AfterFunc(ctx, func() { _ = s.Close(context.Background()) })
	return s, nil
}

// openCA opens or makes the local certificate authority and puts its
// certificate where a client can be pointed at.
func (s *Server) openCA(o Options) (err error) {
	dir := o.CADir
	if dir == "" && o.State != "" {
		dir = filepath.Join(o.State, "ca")
	}
	if s.CA, err = ca.Open(dir, o.Now); err != nil {
		return err
	}
	if dir != "" {
		s.info.CAFile = ca.CertFile(dir)
		return nil
	}
	tmp, err := os.MkdirTemp("", "partner-cloud-")
	if err != nil {
		return problem.Wrap(err, problem.Limit, "no temporary directory could be made")
	}
	s.cleanup = append(s.cleanup, func() error { return os.RemoveAll(tmp) })
	s.info.CAFile = filepath.Join(tmp, "ca.pem")
	if err := os.WriteFile(s.info.CAFile, s.CA.PEM(), 0o600); err != nil {
		return problem.Wrap(err, problem.Limit, "the CA certificate could not be written")
	}
	return nil
}

// compose makes the services over the world and puts the gate before each.
func (s *Server) compose(o Options) error {
	s.Gate = gate.New(gate.Deps{Now: s.World.Clock.Now, Log: o.Log})
	in := &inside{routes: map[string]http.Handler{}, out: &http.Transport{MaxIdleConns: 4, IdleConnTimeout: 5 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second}}
	login, err := authority.New(authority.Deps{World: s.World, Keys: s.Keys, Log: o.Log, Locate: s.scenario.Locate, Transport: in})
	if err != nil {
		return err
	}
	lag := graph.PublishedLag
	if o.NoLag {
		lag = graph.NoLag
	}
	s.center = center.New(center.Deps{World: s.World, Keys: s.Keys, Log: o.Log, Transport: in, Unthrottled: o.Unthrottled})
	rooms := map[string]http.Handler{
		gate.Login:   login,
		gate.Graph:   graph.New(graph.Deps{World: s.World, Keys: s.Keys, Log: o.Log, Unthrottled: o.Unthrottled, Lag: lag, Login: s.info.Login}),
		gate.Center:  s.center,
		gate.ARM:     arm.New(arm.Deps{World: s.World, Keys: s.Keys, Log: o.Log, Unthrottled: o.Unthrottled}),
		gate.Vault:   keyvault.New(keyvault.Deps{World: s.World, Keys: s.Keys, Log: o.Log, Unthrottled: o.Unthrottled}),
		gate.Retired: retired.New(s.World, s.Keys),
	}
	rooms[gate.Portal] = portal.New(portal.Deps{World: s.World, Keys: s.Keys, Log: o.Log, Login: s.loginFor, Transport: in, Center: s.center})
	s.services = map[string]http.Handler{}
	for name, h := range rooms {
		s.services[name] = known(o.ForceListen, from(s.Gate.Wrap(name, h)))
		for _, host := range hosts()[name] {
			in.routes[host] = s.services[name]
		}
	}
	s.cleanup = append(s.cleanup, func() error { s.center.Close(); return nil })
	s.World.OnChange(s.center.Pump) // webhooks of what other rooms did
	if err := s.stage(); err != nil {
		return err
	}
	routes := map[string]http.Handler{}
	for name, list := range hosts() {
		for _, host := range list {
			routes[host] = s.services[name]
		}
	}
	s.info.ControlSecret = world.NewSecret()
	if s.proxy, err = proxy.New(proxy.Deps{CA: s.CA, Routes: routes, Secret: world.NewSecret()[:24], AllowRemote: o.ForceListen, Log: o.Log}); err != nil {
		return err
	}
	s.info.Proxy = s.proxy.URL(s.ports[6].Addr().String())
	for i, name := range order {
		for _, h := range []string{"localhost", "127.0.0.1", "[::1]", o.Listen} {
			in.routes[h+":"+s.port(i)] = s.services[name]
		}
	}
	s.inner = in
	return nil
}

// known answers under names of this machine and the production names only: a
// page elsewhere whose name was made to lead here (DNS rebinding) gets nothing.
// any allows every name, for a cloud that was forced to listen on a network.
func known(any bool, h http.Handler) http.Handler {
	names := map[string]bool{"localhost": true}
	for _, n := range Hosts() {
		names[n] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := proxy.Canonical(r.Host)
		if ip := net.ParseIP(host); !any && !names[host] && (ip == nil || !ip.IsLoopback()) {
			w.Header().Set(gate.BannerHeader, gate.Banner)
			http.Error(w, "The partner cloud does not answer under this name. Use localhost, or partnerguard cloud exec.", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// FromHeader lets a client of this lab say from which address it comes, so that
// named locations can be tried. It exists nowhere but here.
const FromHeader = "X-Partner-Cloud-From"

func from(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := r.Header.Get(FromHeader); v != "" {
			if ip, err := netip.ParseAddr(v); err == nil {
				r = r.Clone(r.Context())
				r.RemoteAddr = net.JoinHostPort(ip.String(), "0")
			}
		}
		h.ServeHTTP(w, r)
	})
}

// loginFor is where a browser that came to the portal signs in: under the
// production name when it used one, otherwise at our own port.
func (s *Server) loginFor(r *http.Request) string {
	for _, h := range hosts()[gate.Portal] {
		if strings.EqualFold(proxy.Canonical(r.Host), h) {
			return entra.Login
		}
	}
	u, err := url.Parse(s.info.Login)
	if err != nil {
		return s.info.Login
	}
	if r.TLS == nil {
		u.Scheme = "http"
	}
	if host := proxy.Canonical(r.Host); host == "localhost" || net.ParseIP(host) != nil {
		u.Host = net.JoinHostPort(host, u.Port())
	}
	return u.String()
}

// listen opens the ports, so that every room can be told where the others are.
func (s *Server) listen(o Options) (err error) {
	if s.ports, err = listenAll(o.Listen, o.Port, maxPorts+o.extraPorts()); err != nil {
		return err
	}
	host := s.host(o)
	base := func(scheme string, i int) string { return scheme + "://" + net.JoinHostPort(host, s.port(i)) }
	s.info.Login, s.info.Graph, s.info.PartnerCenter, s.info.ARM, s.info.Portal = base("https", 0), base("https", 1), base("https", 2), base("https", 3),
		base("https", 4)
	s.info.PortalHTTP, s.info.Control = base("http", 4), "http://"+s.ports[5].Addr().String()
	s.info.SNI, s.info.SPKI = s.ports[7].Addr().String(), s.CA.SPKI()
	return nil
}

// host is how clients call where the ports are.
func (s *Server) host(o Options) string {
	if ip := net.ParseIP(o.Listen); ip == nil || ip.IsLoopback() {
		return "localhost"
	}
	return o.Listen
}

func (s *Server) port(i int) string {
	_, port, _ := net.SplitHostPort(s.ports[i].Addr().String())
	return port
}

// serve answers on every port until Close.
func (s *Server) serve(o Options) error {
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.CA.GetCertificate, NextProtos: []string{"h2", "http/1.1"}}
	quiet := slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	for i, name := range order {
		config := config.Clone() // a server changes what it is given
		secure, plain := split(s.ports[i], config)
		srv := &http.Server{Handler: s.services[name], TLSConfig: config, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
			MaxHeaderBytes: 128 << 10, ErrorLog: quiet}
		s.servers = append(s.servers, srv)
		s.run(func() error { return srv.Serve(secure) })
		s.run(func() error { return srv.Serve(plain) })
	}
	ctl := &http.Server{Handler: s.control(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: quiet}
	s.servers = append(s.servers, ctl)
	s.run(func() error { return ctl.Serve(s.ports[5]) })
	s.run(func() error { return s.proxy.Serve(s.ports[6]) })
	s.run(func() error { return s.proxy.ServeSNI(s.ports[7]) })
	config.NextProtos = nil
	return s.serveExtras(o, config, s.host(o))
}

// run serves until closed; a failure ends the whole cloud.
func (s *Server) run(f func() error) {
	go func() {
		err := f()
		if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
			return
		}
		select {
		case s.failed <- err:
		default:
		}
		_ = s.Close(context.Background())
	}()
}

func (s *Server) control() http.Handler {
	return control.New(control.Deps{
		Secret: s.info.ControlSecret, Clock: s.World.Clock, Gate: s.Gate, Log: signInLog{s.World},
		Info: func() any { return s.Info() },
		CA:   s.CA.PEM, Logger: s.log,
		Rollover: s.Keys.Rollover, Graph: s.graphAnswer, Stories: s.askStory, Alerts: s.askAlerts, Trouble: s.askTrouble,
		Live: s.live,
		Enforce: func(raw json.RawMessage) (any, error) {
			if len(raw) > 0 {
				if err := s.center.SetEnforcement(raw); err != nil {
					return nil, err
				}
			}
			return s.center.Enforcement(), nil
		},
	})
}

// live lets the partner's people live through a span of time.
func (s *Server) live(from, to time.Time) (n int, err error) {
	err = s.World.Do(func(st *world.State) error {
		if st.Live == nil {
			return problem.New(problem.Usage, "nobody lives in this world: its history has no days").WithHint("partnerguard cloud --days 30")
		}
		n = st.Live(st, from, to)
		return nil
	})
	return n, err
}

// Info says where everything is, as of now.
func (s *Server) Info() Info {
	i := s.info
	i.Clock = s.World.Clock.Now()
	return i
}

// Handler gives a service without a network, behind its gate, by its name in
// package gate: for tests.
func (s *Server) Handler(service string) http.Handler { return s.services[service] }

// Transport reaches the cloud's own services, under their production names and
// their ports, without a network.
func (s *Server) Transport() http.RoundTripper { return s.inner }

// Close stops serving, saves the state, and removes what was made for this run.
func (s *Server) Close(ctx context.Context) error {
	s.once.Do(func() {
		s.err = s.shut(ctx)
		select {
		case err := <-s.failed:
			s.err = errors.Join(err, s.err)
		default:
		}
		close(s.done)
	})
	<-s.done
	return s.err
}

// Wait returns when the cloud was closed or failed.
func (s *Server) Wait() error {
	<-s.done
	return s.err
}

// closeIn is how long requests may take to end.
const closeIn = 3 * time.Second

func (s *Server) shut(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, closeIn)
	defer stop()
	var all []error
	var wait sync.WaitGroup
	for _, srv := range s.servers {
		wait.Go(func() {
			if srv.Shutdown(ctx) != nil {
				_ = srv.Close()
			}
		})
	}
	if s.proxy != nil {
		wait.Go(func() { _ = s.proxy.Shutdown(ctx) })
	}
	wait.Wait()
	for _, l := range s.ports {
		_ = l.Close()
	}
	if s.keeper != nil {
		all = append(all, s.keeper.close())
	}
	for _, f := range s.cleanup {
		all = append(all, f())
	}
	return errors.Join(all...)
}
