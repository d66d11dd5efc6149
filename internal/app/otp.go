//go:build !judge

package app

import (
	"context"
	"net"
	"net/http"
	"time"

	"partnerguard/internal/otp/page"
	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// ServeOTP answers the page of one-time passwords for the people whose files are in
// folder, at an address of this machine, until ctx ends. ready is told where. It works
// beside serve, and writes the same trail. now is the machine's clock, also where the
// installation follows a partner cloud's: codes are for clocks of others.
func (i *Installation) ServeOTP(ctx context.Context, folder, at string, now func() time.Time, ready func(where string)) error {
	if host, _, err := net.SplitHostPort(at); err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return problem.New(problem.Usage, "%.100q is no address of this machine alone", at).WithHint("--listen 127.0.0.1:8470")
	}
	desk, err := page.New(ctx, page.Deps{Folder: folder, Record: i.Trail, Now: now, Log: i.Log})
	if err != nil {
		return err
	}
	k := web.NewKernel(web.Deps{Log: i.Log})
	k.Handle(web.Icon())
	k.Handle(web.Route{Name: "otp.home", Pattern: "GET /{$}", Access: web.Loopback, Handle: func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, page.Path, http.StatusSeeOther)
		return nil
	}})
	if err := desk.Mount(k); err != nil {
		return err
	}
	l, err := listen(at, "--listen")
	if err != nil {
		return err
	}
	return web.Serve(ctx, web.Options{Listener: l, Handler: k, Log: i.Log, Ready: func() { ready("http://" + l.Addr().String() + page.Path) }})
}
