/**
 * What runs in the child process, on libtorch. Nothing outside this package touches a type of PyTorch, and nothing in
 * it
 * is loaded by the process that started the child.
 *
 * <p>Tensors of PyTorch live outside the heap: each step runs in a {@link org.bytedeco.javacpp.PointerScope}, and what
 * must outlive it is kept by name ({@code retainReference}) by the object that owns it.
 */
package dev.shrike.training.torch;
