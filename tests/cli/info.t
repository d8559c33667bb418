The summary that people paste: at most 24 lines, 80 columns, no folder of the file.

  $ dfrule info corpus/transcripts/double_fault_iastor.txt
  File       double_fault_iastor.txt, debugger text, 2.9 KiB
  System     x64
  CPUs       crashed on 4, 1 Running, 7 Frozen
  Bug check  0x7F UNEXPECTED_KERNEL_MODE_TRAP
    arg1     8                 trap number
    arg2     80050033
    arg3     406f8
    arg4     fffff800032aa875  instruction address of a double fault (x64)
  Fault      nt!KiIpiSendRequest+0x305
  Stack      nt!KeBugCheckEx
             nt!KiBugCheckDispatch+0x69
             nt!KiDoubleFaultAbort+0xb2
             nt!KiIpiSendRequest+0x305
             nt!KeFlushMultipleRangeTb+0x22a
             nt!?? ::FNODOBFM::`string'+0x204ce
             7 more
  3rd party  iaStor.sys (2012-02)
  Modules    1 shown
  Missing    symbols of iaStor; the list of modules (lm)

One object a crash; several inputs, and several crashes of one, stand in one envelope.

  $ dfrule info -o ndjson corpus/transcripts/double_fault_iastor.txt | grep -o '"bugcheck":{"code":[0-9]*,"name":"[A-Z_]*"'
  "bugcheck":{"code":127,"name":"UNEXPECTED_KERNEL_MODE_TRAP"
  $ dfrule info -q -o json corpus/transcripts/double_fault_iastor.txt tests/cli/data/irql.txt | grep -c '"schema": "dfrule/info/1"'
  2
  $ dfrule info -q corpus/transcripts | awk 'length($0) > 92 { print length($0) }'
  $ for f in corpus/transcripts/*.txt; do dfrule info --crash 1 $f | sed -n 25p; done
