package main

import "context"

func codes(ctx context.Context, o options) error { return nil }
