package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// mostPaint is the limit of the first paint.
const mostPaint = 300 * time.Millisecond

// painted is how often each page is opened.
const painted = 5

// paint opens the main pages in Chromium and tells when something was first seen.
func (s *served) paint(ctx context.Context, c *client, list []asked) error {
	path := os.Getenv("CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("no browser at %s: CHROMIUM names one", path)
	}
	dir, clean, err := temporary()
	if err != nil {
		return err
	}
	defer clean()
	ctx, cancel := chromedp.NewExecAllocator(ctx, chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Headless, chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for _, x := range c.cookies(s.at) {
		if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: x.Name, Value: x.Value, URL: s.at}); err != nil {
			return err
		}
	}
	missed := 0
	for i := range list {
		p := &list[i]
		if p.export() || p.weight < 6 || p.name == "search" {
			continue
		}
		var took []time.Duration
		for range painted {
			d, err := firstPaint(ctx, s.at+"/"+p.name)
			if err != nil {
				return fmt.Errorf("/%s: %w", p.name, err)
			}
			took = append(took, d)
		}
		slices.Sort(took)
		fmt.Printf("first paint of %-12s median %4.0f ms, worst of %d %4.0f ms\n", p.name, ms(took[len(took)/2]), painted, ms(took[len(took)-1]))
		if took[len(took)/2] > mostPaint {
			missed++
		}
	}
	if missed > 0 {
		fmt.Printf("first paint: %d pages MISSED %s\n", missed, mostPaint)
	}
	return nil
}

// firstPaint opens a page and asks the browser when it was first painted.
func firstPaint(ctx context.Context, at string) (time.Duration, error) {
	if err := chromedp.Do(ctx, chromedp.Navigate(at), chromedp.WaitReady("main")); err != nil {
		return 0, err
	}
	for range 100 {
		n, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`(performance.getEntriesByType("paint").find(e => e.name === "first-contentful-paint") || {startTime: 0}).startTime`))
		if err != nil {
			return 0, err
		}
		if n > 0 {
			return time.Duration(n * float64(time.Millisecond)), nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return 0, errors.New("the browser tells no first paint")
}
