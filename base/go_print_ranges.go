//go:build ignore

// Writes base/go_print_ranges.h: which runes Go's strconv.IsPrint accepts.
//
//	go run base/go_print_ranges.go > base/go_print_ranges.h
package main

import (
	"fmt"
	"strconv"
	"unicode"
)

const perLine = 9

func main() {
	fmt.Printf("// The runes that Go's strconv.IsPrint accepts, Unicode %s. Made by base/go_print_ranges.go;\n", unicode.Version)
	fmt.Print("// do not edit.\n\n#pragma once\n\n#include <cstdint>\n\nnamespace agent {\n\n")
	fmt.Print("// Pairs of first and last rune, ascending.\n// clang-format off\n")
	writeTable("uint16_t kGoPrint16", 0, 0xffff)
	writeTable("uint32_t kGoPrint32", 0x10000, unicode.MaxRune)
	fmt.Print("// clang-format on\n\n}  // namespace agent\n")
}

func writeTable(declaration string, from, to rune) {
	fmt.Printf("constexpr %s[] = {", declaration)
	count := 0
	for r := from; r <= to; r++ {
		if !strconv.IsPrint(r) {
			continue
		}
		first := r
		for r < to && strconv.IsPrint(r+1) {
			r++
		}
		if count%perLine == 0 {
			fmt.Print("\n   ")
		}
		count++
		fmt.Printf(" %#x,%#x,", first, r)
	}
	fmt.Print("\n};\n")
}
